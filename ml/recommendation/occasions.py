"""When a company's plan is looked at again after its first recommendation, and when that has something new to say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Literal

__all__ = ["FIRST_DAY", "MONTH_DAYS", "QUIET_DAYS", "Looked", "left_range", "outcome_of", "review_due"]

FIRST_DAY = 15
"""Local days after the activation from which on a plan is looked at again."""
WEEK = timedelta(days=7)
MONTH_DAYS = 30
"""Days of the month that a recommendation speaks about."""
QUIET_DAYS = 90
"""A plan that was offered and not taken is not offered again for so many days."""

PlanId = int
Occasion = Literal["week", "usage"]
Outcome = Literal["recommended", "nothing_new", "offered_before"]


@dataclass(frozen=True, slots=True)
class Looked:
    """When a company's plan was last looked at, and when it last was while usage was out of range (None: never)."""

    activated_on: date
    last: date
    out_of_range: date | None = None


def left_range(used: Mapping[str, float], days: int, assumed: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Meters whose usage, scaled to a month, lies outside of what the last recommendation assumed, in order.

    The range is that of p10 to p90, wider by sqrt(MONTH_DAYS / days): so much more do sums of fewer independent days
    scatter around the median. Its bounds are in range.

    Args:
        used: quantity per meter over the `days`; a meter that is not there was not used.
        days: whole days since the recommendation, of whole weeks; without any nothing is said.
        assumed: p10, p50 and p90 of the month per meter, as in `reasoning["usage"]`.
    """
    if not days:
        return []
    return sorted(
        meter
        for meter, month in assumed.items()
        if not _is_in_range(used.get(meter, 0.0) * MONTH_DAYS / days, month, sqrt(MONTH_DAYS / days))
    )


def review_due(looked: Looked, as_of: date, has_left_range: bool) -> Occasion | None:
    """Why a company's plan is to be looked at as of a date, if at all.

    Each week on the weekday of the activation, from day 21 on; a date that was missed is made up for at the next one.
    And from day 15 on once usage has left the range, at most every seven days, since a level that stays is no news.
    """
    if looked.last >= as_of or as_of < looked.activated_on + timedelta(days=FIRST_DAY):
        return None
    weeks = (as_of - looked.activated_on) // WEEK
    is_week_over = looked.last < looked.activated_on + weeks * WEEK
    is_told = looked.out_of_range is not None and as_of - looked.out_of_range < WEEK
    if has_left_range and (is_week_over or not is_told):
        return "usage"
    return "week" if is_week_over else None


def outcome_of(
    found: PlanId, current: PlanId, still_open: PlanId | None, closed: Mapping[PlanId, date], as_of: date
) -> Outcome:
    """Whether advice is worth telling.

    Args:
        found: the plan that is best now.
        current: the company's plan.
        still_open: that of the recommendation which it has not decided on.
        closed: plans that it was recommended, and when it last accepted or rejected each or let its time run out.
        as_of: the date of the review.

    Returns:
        `nothing_new` when it was told so, or stays as it is; `offered_before` when that was less than 90 days ago. To
        stay is recommended only where something else is still on offer.
    """
    standing = current if still_open is None else still_open
    if found == standing:
        return "nothing_new"
    if found != current and found in closed and as_of - closed[found] < timedelta(days=QUIET_DAYS):
        return "offered_before"
    return "recommended"


def _is_in_range(monthly: float, month: Mapping[str, float], wider: float) -> bool:
    low, high = (month["p50"] + wider * (month[bound] - month["p50"]) for bound in ("p10", "p90"))
    return low <= monthly <= high
