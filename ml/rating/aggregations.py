"""What each aggregation of a meter means: the reference that the SQL of the marts is held to.

Every function takes the events of one period, in any order unless it says otherwise, and returns an unrounded quantity.
"""

from collections.abc import Callable, Hashable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, localcontext
from typing import Literal

from ml.rating.money import EXACT

__all__ = [
    "Operation",
    "Rounding",
    "billable",
    "count",
    "days_active",
    "highest",
    "latest",
    "prorated_sum",
    "prorated_unique_count",
    "round_quantity",
    "total",
    "unique_count",
    "weighted_sum",
]

Operation = Literal["add", "remove"]
Rounding = Literal["round", "ceil", "floor"]

_ZERO = Decimal(0)
_ROUNDINGS: dict[Rounding, str] = {"round": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}


def total(values: Iterable[Decimal], carried: Decimal = _ZERO) -> Decimal:
    """Sum of the values, on top of what a recurring meter carried in from before the period."""
    with localcontext(EXACT):
        return sum(values, carried)


def count(events: Iterable[object]) -> int:
    """Number of events."""
    return sum(1 for _ in events)


def unique_count(operations: Iterable[tuple[Operation, Hashable]], carried: Iterable[Hashable] = ()) -> int:
    """How many values are present at the period's end, given (operation, value) in order of event time.

    A recurring meter starts with the values carried from before. To add a value twice, or to remove one that is absent,
    changes nothing. Raises ValueError for an unknown operation.
    """
    present = set(carried)
    changes: dict[str, Callable[[Hashable], None]] = {"add": present.add, "remove": present.discard}
    for operation, value in operations:
        if operation not in changes:
            raise ValueError(f"{operation!r} of {value!r} is no operation; use add or remove")
        changes[operation](value)
    return len(present)


def highest(values: Iterable[Decimal]) -> Decimal:
    """The greatest value; 0 without any."""
    return max(values, default=_ZERO)


def latest(events: Iterable[tuple[datetime, Decimal]]) -> Decimal:
    """The value with the latest event time, of equal times the one that comes last; 0 if negative or without any.

    Raises ValueError for a naive datetime.
    """
    at_last, value_last = None, _ZERO
    for at, value in events:
        instant = _utc(at)
        if at_last is None or instant >= at_last:
            at_last, value_last = instant, value
    return billable(value_last)


def weighted_sum(
    changes: Iterable[tuple[datetime, Decimal]], start: datetime, end: datetime, initial: Decimal = _ZERO
) -> Decimal:
    """Mean level over [start, end): the integral of the level over time, divided by the length of the period.

    The level is `initial` plus all changes so far, so each change weighs what is left of the period from its time on:
    in full if it came before the start, nothing from the end on. Raises ValueError for a naive datetime or an empty
    period.
    """
    first, last = _utc(start), _utc(end)
    if last <= first:
        raise ValueError(f"the period [{start}, {end}) is empty")
    whole = _microseconds(last - first)
    with localcontext(EXACT):
        held = initial * whole
        for at, change in changes:
            held += change * max(_microseconds(last - max(_utc(at), first)), 0)
        return held / whole


def days_active(first_day: int, period_days: int, last_day: int | None = None) -> int:
    """Days on which a value counts, from its first day to its last, both in full; days of the period count from 1.

    Without a last day it stays to the period's end: added on day 26 of 31, it counts for 6 days.
    Raises ValueError if the days are not in order within the period.
    """
    last = period_days if last_day is None else last_day
    if not 1 <= first_day <= last <= period_days:
        raise ValueError(f"days {first_day} to {last} do not lie in order within a period of {period_days} days")
    return last - first_day + 1


def prorated_sum(carried: Decimal, added: Iterable[tuple[Decimal, int]], period_days: int) -> Decimal:
    """The carried sum in full, plus each (value, active days) at its part of the period's days.

    Raises ValueError if active days are negative or more than the period has, or if that has none.
    """
    if period_days < 1:
        raise ValueError(f"a period of {period_days} days has no parts")
    with localcontext(EXACT):
        weighed = sum((value * _checked_days(days, period_days) for value, days in added), _ZERO)
        return carried + weighed / period_days


def prorated_unique_count(active_days: Iterable[int], period_days: int) -> Decimal:
    """Each unique value's active days, as parts of the period's days, added up; errors as in `prorated_sum`."""
    return prorated_sum(_ZERO, ((Decimal(1), days) for days in active_days), period_days)


def round_quantity(quantity: Decimal, how: Rounding, precision: int) -> Decimal:
    """The quantity at `precision` decimals, before it is priced; -2 gives whole hundreds.

    "round" is half up, away from zero; "ceil" goes towards plus infinity and "floor" towards minus infinity.
    Raises ValueError for another way to round.
    """
    if how not in _ROUNDINGS:
        raise ValueError(f"{how!r} is no way to round; use one of {', '.join(_ROUNDINGS)}")
    rounded = quantity.quantize(Decimal(1).scaleb(-precision), rounding=_ROUNDINGS[how], context=EXACT)
    return EXACT.add(rounded, _ZERO)  # 1E+2 becomes 100, and -0 becomes 0


def billable(quantity: Decimal) -> Decimal:
    """The quantity of a bill: a period whose total is negative is billed as 0."""
    return max(quantity, _ZERO)


def _utc(at: datetime) -> datetime:
    """The instant in UTC: Python compares and subtracts times of one zone by the clock on the wall."""
    if at.utcoffset() is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC)


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _checked_days(days: int, period_days: int) -> int:
    if not 0 <= days <= period_days:
        raise ValueError(f"{days} active days do not fit into a period of {period_days} days")
    return days
