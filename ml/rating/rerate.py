"""Delta re-rating: what is due is what the usage costs now, minus what was booked.

Late, negative and tier-crossing usage come out right in whatever order they arrive, because each line is the
difference of two roundings of one cumulative amount: round(cumulative) - already booked.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from ml.rating.charges import Priced, breakdown
from ml.rating.charges.per_bucket import Bucketed
from ml.rating.contract import period_terms
from ml.rating.lines import BookedLine, Change, Place, RatedLine, by_date, grouped, numbered, taken_back
from ml.rating.meters import METERS
from ml.rating.money import exactly, round_money
from ml.rating.plan import BASE_FEE
from ml.rating.rate import MAXIMUM_SPEND, MINIMUM_SPEND, spend_adjustments
from ml.rating.spans import Agreement, Span, agreements_of
from ml.rating.steps import Step, added, cost_of
from ml.rating.usage import Item, Usage, UsageRow, usage_by_meter

__all__ = ["BookedLine", "RatedLine", "due_lines"]

BOUNDS = (MAXIMUM_SPEND, MINIMUM_SPEND)


@exactly
def due_lines(
    spans: Iterable[Span],
    usage: Iterable[UsageRow],
    booked: Iterable[BookedLine],
    company_id: int,
    usage_period: date,
    *,
    is_final: bool = False,
    invoice_period: date | None = None,
) -> list[RatedLine]:
    """The lines that bring a company's books for a usage period (named by its first day) to what its usage costs now.

    `spans` says which terms hold when (`spans_of`), `usage` the current totals, each date and meter once, and `booked`
    every line that this company has for this period. Usage of dates on which no terms hold is not owed. Minimum amounts
    are owed once the period `is_final`. `invoice_period` is where the lines go, by default the usage period itself;
    lines of another one name the line that they correct.

    Per charge and date, in date order, a changed quantity gives one line. Where only the price changed, one line of
    quantity 0 stands on the last usage date. What was booked under terms that hold no more is taken back. No change
    gives []. Raises ValueError for usage that is there twice or of an unknown meter, TypeError for quantities that are
    floats and for dates with a time.
    """
    used = usage_by_meter(usage)
    held = agreements_of(spans)
    stood = grouped(booked, key=lambda line: line.terms_key)
    place = Place(company_id, usage_period, invoice_period or usage_period)
    lines: list[RatedLine] = []
    for key in dict.fromkeys([*held, *stood]):
        before = stood.get(key, [])
        if key in held:
            own = held[key].contract.plan
            currency, plan = own.currency, (own.plan_key, own.version)
            changes = list(_Books(held[key], used, before, usage_period, is_final).changes())
        else:
            currency, plan = before[0].currency, (before[0].plan_key, before[0].plan_version)
            changes = list(taken_back(before))
        lines += numbered(key, plan, currency, changes, before, place)
    return lines


class _Books:
    """What stands in the books for one agreement, and what its usage costs now."""

    def __init__(
        self,
        agreement: Agreement,
        usage: Mapping[str, Mapping[date, tuple[Item, ...]]],
        booked: Sequence[BookedLine],
        usage_period: date,
        is_final: bool,
    ) -> None:
        self.agreement, self.usage, self.usage_period, self.is_final = agreement, usage, usage_period, is_final
        self.booked = grouped(booked, key=lambda line: line.charge)
        self.terms = agreement.terms(usage_period)
        self.charges = {charge.meter: charge for charge in self.terms.charges}

    def changes(self) -> Iterator[Change]:
        """Fees, then usage, then what the bounds of the whole make of their sum."""
        rated = [*self._fees(), *self._usage(), *self._dropped()]
        yield from rated
        stood = sum((line.amount for lines in self.booked.values() for line in lines), Decimal(0))
        bounds = sum((line.amount for name in BOUNDS for line in self.booked.get(name, [])), Decimal(0))
        cost = stood - bounds + sum((change.amount for change in rated), Decimal(0))
        yield from self._bounds(cost)

    def _fees(self) -> Iterator[Change]:
        """Each span's fees on its first date; cumulative amounts are rounded, so that parts add up to the whole."""
        targets: dict[str, dict[date, tuple[Decimal, str, tuple[Step, ...]]]] = defaultdict(dict)
        for span in self.agreement.spans:
            for fee in period_terms(span.contract, self.usage_period, span.share).fees:
                targets[fee.charge][span.start] = fee.quantity, fee.unit, fee.steps
        for charge in dict.fromkeys([*targets, *(name for name in self.booked if _is_fee(name))]):
            target, exact, rounded = targets[charge], Decimal(0), Decimal(0)
            quantities, amounts = by_date(self.booked.get(charge, []))
            for day in sorted({*target, *amounts}):
                quantity, unit, steps = target.get(day, (Decimal(0), "unit", ()))
                exact += cost_of(steps)
                owed = round_money(exact, self.terms.currency) - rounded
                rounded += owed
                change = Change(charge, day, quantity - quantities[day], owed - amounts[day], unit, None, steps)
                if change.quantity or change.amount:
                    yield change

    def _usage(self) -> Iterator[Change]:
        for meter, charge in self.charges.items():
            dates = self.usage.get(meter, {})
            held = {day: items for day, items in dates.items() if self.agreement.holds(day)}
            if self.is_final and isinstance(charge, Bucketed) and charge.commitment:
                # A committed day without usage owes its commitment.
                held = {day: (Item(Decimal(0), day),) for day in self.agreement.dates()} | held
            yield from self._changes_of(charge, held)

    def _changes_of(self, charge: Priced, now: Mapping[date, tuple[Item, ...]]) -> Iterator[Change]:
        """One charge's changed dates, in order, each priced on top of what was there before it."""
        quantities, amounts = by_date(self.booked.get(charge.meter, []))
        state = {day: now.get(day, ()) for day in now}
        changed = []
        for day in sorted({*now, *quantities}):
            delta = sum((item.quantity for item in now.get(day, ())), Decimal(0)) - quantities[day]
            if delta:
                changed.append((day, delta))
                state[day] = (Item(quantities[day], day),) if quantities[day] else ()
        paid, steps = sum(amounts.values(), Decimal(0)), self._steps(charge, state)
        for day, delta in changed:
            state[day] = now.get(day, ())
            before, steps = steps, self._steps(charge, state)
            due = round_money(cost_of(steps), self.terms.currency) - paid
            paid += due
            yield self._change(charge, day, delta, due, added(before, steps))
        correction = round_money(cost_of(steps), self.terms.currency) - paid
        if correction and not changed:
            day = max(now or quantities, default=self.agreement.spans[-1].start)
            yield self._change(charge, day, Decimal(0), correction, ())

    def _steps(self, charge: Priced, state: Mapping[date, tuple[Item, ...]]) -> tuple[Step, ...]:
        usage = Usage(tuple(item for day in sorted(state) for item in state[day]))
        seasonal = self.terms.seasonal.get(charge.meter, Decimal(0))
        return breakdown(charge, usage, seasonal_percent=seasonal, is_final=self.is_final)

    def _change(
        self, charge: Priced, day: date, quantity: Decimal, amount: Decimal, detail: tuple[Step, ...]
    ) -> Change:
        return Change(charge.meter, day, quantity, amount, METERS[charge.meter].unit, charge.meter, detail)

    def _dropped(self) -> Iterator[Change]:
        """Charges that stand in the books and that the terms do not have."""
        kept = {*self.charges, *BOUNDS}
        gone = [line for name, lines in self.booked.items() if name not in kept and not _is_fee(name) for line in lines]
        yield from taken_back(gone)

    def _bounds(self, cost: Decimal) -> Iterator[Change]:
        owed = spend_adjustments(self.terms, cost, self.is_final)
        for charge in BOUNDS:
            stood = sum((line.amount for line in self.booked.get(charge, [])), Decimal(0))
            due = round_money(owed.get(charge, Decimal(0)), self.terms.currency) - stood
            if due:
                yield Change(charge, self.agreement.last_date, Decimal(0), due, "month")


def _is_fee(charge: str) -> bool:
    return charge == BASE_FEE or charge.startswith("add_on:")
