"""Which part of a period a span of days is, in one place, so that credits and charges of a change count days alike."""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from ml.rating.money import EXACT, round_money

__all__ = [
    "Convention",
    "PlanChange",
    "capped_credit",
    "cycles",
    "days_30_360",
    "local_days",
    "plan_change",
    "prorated",
    "share_of_period",
]

Convention = Literal["calendar_days_inclusive", "30/360", "days_in_cycle"]
"""How days are counted: as they are over those of the calendar's period (a plan's first and its last day count in full)
or of the billing cycle, or as if every month had 30."""


def share_of_period(convention: Convention, start: date, end: date, period_start: date, period_end: date) -> Fraction:
    """The part of the period [period_start, period_end) that the local dates [start, end) make up, from 0 to 1.

    Span and period are counted by the same convention, so the parts of a period add up to exactly 1. Under 30/360 a
    period has 30 days a month, save where a billing day of 29 or more had to move to the end of February (28 to 32).
    Raises ValueError if the span is no part of the period, the period has no days, or the convention is unknown.
    """
    if convention not in _COUNTS:
        raise ValueError(f"{convention!r} is no convention; use one of {', '.join(_COUNTS)}")
    if not period_start <= start <= end <= period_end:
        raise ValueError(f"[{start}, {end}) is no part of the period [{period_start}, {period_end})")
    days = _COUNTS[convention]
    whole = days(period_start, period_end)
    if not whole:
        raise ValueError(f"the period [{period_start}, {period_end}) has no days under {convention}")
    return Fraction(days(start, end), whole)


def days_30_360(start: date, end: date) -> int:
    """Days of [start, end) if every month had 30: the rule 30E/360 of the ISDA Definitions 2006, section 4.16(g).

    A 31st counts as the 30th, the end of February as the day it is. Of the 30/360 rules this one depends on each date
    alone, so days add up wherever a span is cut. Raises ValueError if the span ends before it starts.
    """
    _check_order(start, end)
    return _day_number_30_360(end) - _day_number_30_360(start)


def cycles(start: date, end: date, billing_day: int) -> Fraction:
    """Number of monthly billing cycles in [start, end); a part of a cycle counts by the days of that very cycle.

    A cycle starts on the billing day (1 to 31), or on the last day of a month that is too short for it.
    Raises ValueError for another billing day, or if the span ends before it starts.
    """
    _check_order(start, end)
    if not 1 <= billing_day <= 31:
        raise ValueError(f"billing day {billing_day} is no day of a month (1 to 31)")
    return _cycle_position(end, billing_day) - _cycle_position(start, billing_day)


def local_days(start: datetime, end: datetime, zone: str) -> int:
    """Midnights of the time zone between two instants: dates are counted, never blocks of 24 hours.

    Raises ValueError for a naive datetime, or if the end lies before the start.
    """
    for instant in (start, end):
        if instant.utcoffset() is None:
            raise ValueError(f"{instant} has no time zone")
    _check_order(start.astimezone(UTC), end.astimezone(UTC))
    local = ZoneInfo(zone)
    return (end.astimezone(local).date() - start.astimezone(local).date()).days


def prorated(amount: Decimal, share: Fraction) -> Decimal:
    """The share of an amount, unrounded; multiplied before it is divided, so that a tie stays a tie."""
    return EXACT.divide(EXACT.multiply(amount, Decimal(share.numerator)), Decimal(share.denominator))


@dataclass(frozen=True)
class PlanChange:
    """The two lines of a plan change, each rounded to the currency's minor unit: credit <= 0, charge >= 0."""

    credit: Decimal
    charge: Decimal

    @property
    def net(self) -> Decimal:
        """The sum of the rounded lines: what the customer sees added up."""
        return EXACT.add(self.charge, self.credit)


def plan_change(
    old_total: Decimal,
    new_total: Decimal,
    share: Fraction,
    currency: str,
    *,
    paid: Decimal | None = None,
    credited: Decimal = Decimal(0),
) -> PlanChange:
    """What a change of plan gives back and charges for the rest of a period that was billed in advance.

    `share` is the part from the change day on, which belongs to the new plan. The totals are those of whole periods.
    If `paid` is given, the credit stays within it less what was `credited` before; both were booked, so are rounded.
    Raises ValueError for negative totals, a share outside of 0 to 1, or earlier credits without what was paid.
    """
    if old_total < 0 or new_total < 0:
        raise ValueError(f"totals of plans are not negative: {old_total}, {new_total}")
    if not 0 <= share <= 1:
        raise ValueError(f"share {share} of the period does not lie between 0 and 1")
    if paid is None and credited:
        raise ValueError(f"{credited} was credited before, but what was paid is not given")
    unused = round_money(prorated(old_total, share), currency)
    credit = unused if paid is None else capped_credit(unused, paid, credited)
    return PlanChange(credit=EXACT.minus(credit), charge=round_money(prorated(new_total, share), currency))


def capped_credit(potential: Decimal, original_paid: Decimal, previous_credits: Decimal) -> Decimal:
    """The credit (>= 0) that may be given: at most what was paid less earlier credits, and never a negative one."""
    return max(min(potential, EXACT.subtract(original_paid, previous_credits)), Decimal(0))


def _check_order(start: date, end: date) -> None:
    if end < start:
        raise ValueError(f"the span ends ({end}) before it starts ({start})")


def _calendar_days(start: date, end: date) -> int:
    return (end - start).days


def _day_number_30_360(day: date) -> int:
    return 360 * day.year + 30 * day.month + min(day.day, 30)


_COUNTS: dict[Convention, Callable[[date, date], int]] = {
    "calendar_days_inclusive": _calendar_days,
    "30/360": days_30_360,
    "days_in_cycle": _calendar_days,
}


def _cycle_position(day: date, billing_day: int) -> Fraction:
    """Cycles since year 0 as of the day: whole ones, plus the elapsed part of the running one."""
    month = 12 * day.year + day.month - 1
    if day < _cycle_start(month, billing_day):
        month -= 1
    start, following = _cycle_start(month, billing_day), _cycle_start(month + 1, billing_day)
    return month + Fraction((day - start).days, (following - start).days)


def _cycle_start(month: int, billing_day: int) -> date:
    """The billing day of a month (counted from year 0), or the last day of a month that is too short for it."""
    first = date(month // 12, month % 12 + 1, 1)
    length = monthrange(first.year, first.month)[1]
    return first.replace(day=min(billing_day, length))
