"""What the configurator shows: the cost of prices of one's own by month and year, beside that of the present plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ml.rating.contract import Contract
from ml.rating.meters import TIMES_OF_DAY
from ml.rating.plan import Plan
from ml.rating.rate import Bill, rate
from ml.rating.usage import Quantity
from ml.recommendation.pricing_model import CALLS, MINUTE, Offer, PricingModel, plan_of

__all__ = ["NO_HABITS", "Habits", "Projection", "require_shares", "simulate", "usage_of_seconds"]

Seconds = TypeVar("Seconds", int, NDArray[np.int64])
SHARES = {"after": "after_hours_share", "peak": "peak_share"}
"""The time of each way to split a day, and which of the habits says how much of the minutes it has."""
MILLION = 10**6


@dataclass(frozen=True, slots=True)
class Habits:
    """How minutes spread over the day, as shares 0..1, and what else a month brings by meter (such as appointments).

    `factors` says how much of an average month each calendar month has, January first; without them all are alike.
    """

    after_hours_share: Decimal | None = None
    peak_share: Decimal | None = None
    other_usage: Mapping[str, Quantity] = field(default_factory=dict)
    factors: Sequence[Decimal] | None = None

    def __post_init__(self) -> None:
        for name in ("after_hours_share", "peak_share"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}; give a share from 0 to 1")
        if self.factors is not None and (len(self.factors) != 12 or min(self.factors) < 0 or not sum(self.factors)):
            raise ValueError(f"factors are {list(self.factors)}; give twelve of 0 or more that are not all 0")


NO_HABITS = Habits()


@dataclass(frozen=True, slots=True)
class Projection:
    """What an offer costs, in `currency` and without tax: an average month, twelve months, and against the present.

    `minutes` [12] and `costs` [12] are from January on. Savings are positive where the offer is cheaper, None without a
    present plan.
    """

    currency: str
    bill: Bill
    minutes: tuple[Decimal, ...]
    costs: tuple[Decimal, ...]
    current_monthly_cost: Decimal | None
    current_annual_cost: Decimal | None

    @property
    def monthly_cost(self) -> Decimal:
        """Of an average month."""
        return self.bill.total

    @property
    def annual_cost(self) -> Decimal:
        """Of the twelve months, each billed by itself."""
        return sum(self.costs, Decimal(0))

    @property
    def monthly_savings(self) -> Decimal | None:
        """In an average month."""
        return None if self.current_monthly_cost is None else self.current_monthly_cost - self.monthly_cost

    @property
    def annual_savings(self) -> Decimal | None:
        """In twelve months."""
        return None if self.current_annual_cost is None else self.current_annual_cost - self.annual_cost


def simulate(
    terms: Offer | Mapping[str, Any],
    monthly_minutes: Decimal | int,
    include_seasonality: bool = True,
    habits: Habits = NO_HABITS,
    current: Plan | Contract | None = None,
) -> Projection:
    """The cost of `terms` for a company with so many minutes in an average month, beside that of its `current` plan.

    With seasonality the year's minutes are spread by `habits.factors`; the sum stays the same.

    Raises:
        ValidationError: for an unknown type, a negative price or one with more than 3 decimals.
        ValueError: for negative minutes, two currencies, a price by time of day without the share of that time.
        TypeError: for minutes that are floats.
    """
    offer = terms if isinstance(terms, PricingModel | Plan | Contract) else PricingModel.model_validate(dict(terms))
    agreed = plan_of(offer)
    for one in (agreed, *(() if current is None else (current,))):
        require_shares(one, habits)
    seconds = _seconds(monthly_minutes)
    year = _spread(seconds, habits.factors if include_seasonality else None)
    bill = _bill(agreed, seconds, habits)
    before = None if current is None else _bill(current, seconds, habits)
    if before and before.currency != bill.currency:
        raise ValueError(f"the offer is in {bill.currency}, the present plan in {before.currency}; compare within one")
    return Projection(
        currency=bill.currency,
        bill=bill,
        minutes=tuple(Decimal(month) / MINUTE for month in year),
        costs=_costs(agreed, year, habits),
        current_monthly_cost=before.total if before else None,
        current_annual_cost=None if current is None else sum(_costs(current, year, habits), Decimal(0)),
    )


def usage_of_seconds(seconds: Seconds, habits: Habits) -> dict[str, Seconds | Quantity]:
    """A month's usage by meter: call time, its parts by time of day (shares have six decimals), and the rest."""
    usage: dict[str, Seconds | Quantity] = {**habits.other_usage, CALLS: seconds}
    for split in TIMES_OF_DAY[CALLS]:
        time = next(name for name in split if name in SHARES)
        share: Decimal | None = getattr(habits, SHARES[time])
        if share is not None:
            part = (2 * round(share * MILLION) * seconds + MILLION) // (2 * MILLION)
            usage.update({meter: part if name == time else seconds - part for name, meter in split.items()})
    return usage


def require_shares(agreed: Plan | Contract, habits: Habits) -> None:
    """Raise ValueError when a plan prices a part of the day of which the habits have no share."""
    plan = agreed.own_plan if isinstance(agreed, Contract) else agreed
    for split in TIMES_OF_DAY[CALLS]:
        name = SHARES[next(time for time in split if time in SHARES)]
        if plan.meters & set(split.values()) and getattr(habits, name) is None:
            raise ValueError(f"{plan.plan_key} prices minutes by the time of day; give {name}")


def _bill(agreed: Plan | Contract, seconds: int, habits: Habits) -> Bill:
    return rate(agreed, usage_of_seconds(seconds, habits))


def _costs(agreed: Plan | Contract, year: Sequence[int], habits: Habits) -> tuple[Decimal, ...]:
    totals = {seconds: _bill(agreed, seconds, habits).total for seconds in set(year)}
    return tuple(totals[seconds] for seconds in year)


def _spread(seconds: int, factors: Sequence[Decimal] | None) -> tuple[int, ...]:
    """Twelve months that add up to twelve times an average one: what rounding leaves goes to the next month."""
    parts = [Fraction(factor) for factor in factors or [Decimal(1)] * 12]
    ends = [_whole(12 * seconds * sum(parts[:month], Fraction(0)) / sum(parts)) for month in range(13)]
    return tuple(after - before for before, after in pairwise(ends))


def _seconds(minutes: Decimal | int) -> int:
    if isinstance(minutes, bool | float) or not isinstance(minutes, Decimal | int):
        raise TypeError(f"minutes are {minutes!r}; give an int or a Decimal")
    if not Decimal(minutes).is_finite() or minutes < 0:
        raise ValueError(f"minutes are {minutes}; give 0 or more")
    return _whole(Fraction(minutes) * MINUTE)


def _whole(value: Fraction) -> int:
    """Rounded half up; for 0 or more."""
    return int(value + Fraction(1, 2))
