"""Delta re-rating: what is due is what the usage costs now, minus what was booked.

Late, negative and tier-crossing usage come out right in whatever order they arrive, because each line is the
difference of two roundings of one cumulative amount: round(cumulative) - already booked.
"""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ml.rating.catalogue import Plan
from ml.rating.charges import amount
from ml.rating.money import round_money
from ml.rating.rate import BASE_FEE
from ml.rating.terms import check_meters

__all__ = ["BookedLine", "RatedLine", "due_lines"]


@dataclass(frozen=True, kw_only=True)
class BookedLine:
    """A line that stands in the books: `quantity` in units of the meter and `amount` are what it added."""

    charge: str
    meter: str | None
    usage_date: date
    quantity: int
    amount: Decimal
    currency: str
    seq: int


@dataclass(frozen=True, kw_only=True)
class RatedLine(BookedLine):
    """A line to be booked; its id is a function of facts, so that booking it twice is booking it once."""

    line_id: str
    company_id: int
    plan_key: str
    plan_version: int
    usage_period: date


def due_lines(
    plan: Plan,
    usage: Iterable[tuple[date, str, int]],
    booked: Iterable[BookedLine],
    company_id: int,
    usage_period: date,
) -> list[RatedLine]:
    """The lines that bring a company's books for a usage period (named by its first day) to what its usage costs now.

    `usage` holds the current totals as (usage date, meter, quantity), each date and meter once; `booked` every line
    that this company has for this period. Per charge and date, in date order, a changed quantity gives one line. Where
    only the price changed, one line of quantity 0 stands on the last usage date. A charge that was booked and that the
    plan does not have is taken back. No change gives []. Raises ValueError for usage that is there twice, an unknown
    meter, and lines in another currency; TypeError for quantities that are no integers, and for dates with a time.
    """
    now = _quantities_now(plan, usage, usage_period)
    before = _booked_by_charge(plan, booked)
    lines: list[RatedLine] = []
    for key in dict.fromkeys([*now, *before]):
        meter = None if key == BASE_FEE else key
        counts = _sequence_numbers(before[key])
        for usage_date, quantity, due in _changes(_price_of(plan, key), now[key], before[key], usage_period):
            seq = counts[usage_date]
            lines.append(
                RatedLine(
                    line_id=f"r1:{company_id}:{usage_period:%Y-%m}:{key}:{usage_date:%Y-%m-%d}:{seq}",
                    company_id=company_id,
                    plan_key=plan.plan_key,
                    plan_version=plan.version,
                    usage_period=usage_period,
                    charge=key,
                    meter=meter,
                    usage_date=usage_date,
                    quantity=quantity,
                    amount=due,
                    currency=plan.currency,
                    seq=seq,
                )
            )
    return lines


def _changes(
    price: Callable[[int], Decimal], now: Mapping[date, int], booked: Sequence[BookedLine], usage_period: date
) -> Iterator[tuple[date, int, Decimal]]:
    """(usage date, quantity, amount) of each line that one charge still needs; `price` gives rounded amounts."""
    then: dict[date, int] = defaultdict(int)
    for line in booked:
        then[_plain(line.usage_date)] += operator.index(line.quantity)
    quantity = sum(then.values())
    paid = sum((line.amount for line in booked), Decimal(0))
    is_changed = False
    for usage_date in sorted(now.keys() | then.keys()):
        delta = now.get(usage_date, 0) - then.get(usage_date, 0)
        if delta:
            is_changed = True
            quantity += delta
            due = price(quantity) - paid
            paid += due
            yield usage_date, delta, due
    correction = price(quantity) - paid
    if correction and not is_changed:
        yield max(now or then, default=usage_period), 0, correction


def _price_of(plan: Plan, key: str) -> Callable[[int], Decimal]:
    """Rounded amount that a cumulative quantity of one charge costs; nothing if the plan does not have the charge."""
    if key == BASE_FEE:
        return lambda quantity: round_money(plan.monthly_base_fee * quantity, plan.currency)
    for charge in plan.charges:
        if charge.meter == key:
            return lambda quantity: round_money(amount(charge, Decimal(quantity)), plan.currency)
    return lambda quantity: round_money(Decimal(0), plan.currency)


def _quantities_now(
    plan: Plan, usage: Iterable[tuple[date, str, int]], usage_period: date
) -> dict[str, dict[date, int]]:
    now: dict[str, dict[date, int]] = defaultdict(dict)
    now[BASE_FEE] = {usage_period: 1} if plan.monthly_base_fee else {}
    now.update({charge.meter: {} for charge in plan.charges})
    for usage_date, meter, quantity in usage:
        check_meters([meter])
        if meter not in now:
            continue
        if usage_date in now[meter]:
            raise ValueError(f"usage of {meter} on {usage_date} is there twice; pass one total per date and meter")
        now[meter][_plain(usage_date)] = operator.index(quantity)
    return now


def _plain(usage_date: date) -> date:
    # A timestamp at midnight is unequal to its date, so that its usage would be booked beside itself.
    if isinstance(usage_date, datetime):
        raise TypeError(f"usage date {usage_date} has a time of day; pass a plain date")
    return usage_date


def _booked_by_charge(plan: Plan, booked: Iterable[BookedLine]) -> dict[str, list[BookedLine]]:
    before: dict[str, list[BookedLine]] = defaultdict(list)
    for line in booked:
        if line.currency != plan.currency:
            raise ValueError(
                f"{line.charge} on {line.usage_date} is booked in {line.currency}, but plan {plan.plan_key} "
                f"v{plan.version} is in {plan.currency}; rate a period in one currency"
            )
        before[line.charge].append(line)
    return before


def _sequence_numbers(booked: Sequence[BookedLine]) -> dict[date, int]:
    """The next free number by usage date, which is the number of lines that are booked there."""
    following: dict[date, int] = defaultdict(int)
    for line in booked:
        following[line.usage_date] = max(following[line.usage_date], line.seq + 1)
    return following
