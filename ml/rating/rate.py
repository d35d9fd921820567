"""Terms and a period's usage in, a bill out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ml.rating.charges import Priced, breakdown
from ml.rating.contract import Contract, Fee, PeriodTerms, period_terms
from ml.rating.meters import METERS
from ml.rating.money import exactly, round_money
from ml.rating.plan import Plan
from ml.rating.steps import Kind, Step, cost_of
from ml.rating.usage import Quantity, Usage, check_meters, usage_of

__all__ = ["MAXIMUM_SPEND", "MINIMUM_SPEND", "Bill", "Line", "exact_total", "rate", "spend_adjustments"]

MINIMUM_SPEND, MAXIMUM_SPEND = "minimum_spend", "maximum_spend"
Given = Mapping[str, Quantity | Usage | Iterable[Quantity]]


@dataclass(frozen=True)
class Line:
    """One charge of a bill: `charge` is `base_fee`, `add_on:<key>`, the meter, or a bound of the whole; `quantity`
    counts `unit`s, `amount` is rounded, and `detail` holds the steps whose unrounded sum it is."""

    charge: str
    meter: str | None
    quantity: Decimal
    unit: str
    amount: Decimal
    detail: tuple[Step, ...]


@dataclass(frozen=True)
class Bill:
    """The lines of one period in one currency, without tax."""

    currency: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """The sum of the lines, each of which is rounded."""
        return sum((line.amount for line in self.lines), round_money(Decimal(0), self.currency))


@exactly
def rate(agreed: Plan | Contract | PeriodTerms, usage: Given, is_final: bool = True) -> Bill:
    """The bill of one period, with a line for each fee and each charge.

    `usage` holds the period's quantity by meter, in the meter's unit (time in seconds), or its single events. A meter
    that is missing was not used; meters that the plan does not charge are ignored; an unknown one raises ValueError, a
    float TypeError. Minimum amounts are owed only when the period `is_final`.
    """
    check_meters(usage)
    terms = agreed if isinstance(agreed, PeriodTerms) else period_terms(agreed)
    lines = [*map(_fee_line, terms.fees), *(_usage_line(terms, charge, usage, is_final) for charge in terms.charges)]
    lines = [_rounded(line, terms.currency) for line in lines]
    return Bill(terms.currency, (*lines, *_bound_lines(terms, sum(line.amount for line in lines), is_final)))


@exactly
def exact_total(agreed: Plan | Contract | PeriodTerms, usage: Given) -> Decimal:
    """What the period costs before any line is rounded; what `ml.rating.twin.monthly_cost` computes in floats."""
    check_meters(usage)
    terms = agreed if isinstance(agreed, PeriodTerms) else period_terms(agreed)
    lines = [*map(_fee_line, terms.fees), *(_usage_line(terms, charge, usage, True) for charge in terms.charges)]
    cost = sum((line.amount for line in lines), Decimal(0))
    return cost + sum(spend_adjustments(terms, cost, True).values())


@exactly
def spend_adjustments(terms: PeriodTerms, cost: Decimal, is_final: bool) -> dict[str, Decimal]:
    """What the bounds of the whole change at what all else costs: never more than the maximum, and, when the period is
    final, never less than the minimum. Unrounded, by the charge under which it is booked."""
    changes: dict[str, Decimal] = {}
    if terms.maximum_spend is not None and cost > terms.maximum_spend:
        changes[MAXIMUM_SPEND] = terms.maximum_spend - cost
    if terms.minimum_spend is not None and is_final and cost < terms.minimum_spend:
        changes[MINIMUM_SPEND] = terms.minimum_spend - cost
    return changes


def _fee_line(fee: Fee) -> Line:
    return Line(fee.charge, None, fee.quantity, fee.unit, cost_of(fee.steps), fee.steps)


def _usage_line(terms: PeriodTerms, charge: Priced, usage: Given, is_final: bool) -> Line:
    used = usage_of(charge.meter, usage.get(charge.meter, Usage()))
    seasonal = terms.seasonal.get(charge.meter, Decimal(0))
    steps = breakdown(charge, used, seasonal_percent=seasonal, is_final=is_final)
    total = sum((item.quantity for item in used.items), Decimal(0))
    return Line(charge.meter, charge.meter, total, METERS[charge.meter].unit, cost_of(steps), steps)


def _bound_lines(terms: PeriodTerms, cost: Decimal | int, is_final: bool) -> Iterator[Line]:
    for charge, change in spend_adjustments(terms, Decimal(cost), is_final).items():
        kind: Kind = "maximum" if charge == MAXIMUM_SPEND else "minimum"
        detail = (Step.adjusting(kind, change),)
        yield _rounded(Line(charge, None, Decimal(1), "month", change, detail), terms.currency)


def _rounded(line: Line, currency: str) -> Line:
    amount = round_money(line.amount, currency)
    return Line(line.charge, line.meter, line.quantity, line.unit, amount, line.detail)
