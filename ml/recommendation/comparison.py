"""Several offers over a range of minutes: what each costs, which is cheapest, and where that changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ml.rating.contract import Contract
from ml.rating.plan import Plan
from ml.rating.rate import rate
from ml.rating.twin import Twin
from ml.recommendation.configurator import NO_HABITS, Habits, require_shares, usage_of_seconds
from ml.recommendation.pricing_model import MINUTE, Offer, plan_of
from ml.recommendation.simulation import require_one_currency

__all__ = ["Comparison", "Row", "Switch", "compare", "minutes_grid"]

LEAST_MINUTES, MOST_MINUTES, STEP = 0, 5000, 100
NO_DIFFERENCE = 1e-6
"""Costs that are closer than this are the same; the smallest step of a price makes a thousand times as much."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a month with so many minutes costs under each offer, and the place of the cheapest one."""

    minutes: int
    costs: tuple[Decimal, ...]
    cheapest: int


@dataclass(frozen=True, slots=True)
class Switch:
    """From so many minutes on offer `after` is cheaper than `before`, which was the cheapest up to there."""

    minutes: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The table in `currency`, and every switch between its first and its last row. Offers go by their places."""

    currency: str
    rows: tuple[Row, ...]
    switches: tuple[Switch, ...]


def minutes_grid(own_average: int | None = None) -> list[int]:
    """0 to 5,000 minutes in steps of 100, and the company's own average."""
    steps = range(LEAST_MINUTES, MOST_MINUTES + 1, STEP)
    return sorted({*steps, *(() if own_average is None else (own_average,))})


def compare(offers: Sequence[Offer], minutes: Sequence[int] | None = None, habits: Habits = NO_HABITS) -> Comparison:
    """Compare months of whole `minutes`, by default those of `minutes_grid`.

    Cheapest is what costs least before it is rounded to coins. Of equal ones the one stays that was the cheapest with
    fewer minutes, and at the first row it is the one that is named first.

    Raises:
        ValueError: without offers or minutes, for negative ones, like `simulate` for shares that are missing.
        CurrencyMismatchError: for offers in several currencies.
        NoTwinError: for a plan with prices per event or per day.
    """
    grid = sorted(set(minutes_grid() if minutes is None else minutes))
    if not offers or not grid or grid[0] < 0:
        raise ValueError("give at least one offer, and minutes of 0 or more")
    agreed = [plan_of(offer) for offer in offers]
    currency = _currency(agreed)
    for one in agreed:
        require_shares(one, habits)
    switches = _switches(agreed, np.arange(grid[0], grid[-1] + 1), habits)
    return Comparison(currency, tuple(_row(agreed, count, switches, habits) for count in grid), switches[1:])


def _currency(agreed: Sequence[Plan | Contract]) -> str:
    plans = [one.plan if isinstance(one, Contract) else one for one in agreed]
    require_one_currency(plans)
    return plans[0].currency


def _switches(agreed: Sequence[Plan | Contract], minutes: NDArray[np.int64], habits: Habits) -> tuple[Switch, ...]:
    """Whatever is cheapest first, as a switch to itself, and all switches that follow."""
    usage = usage_of_seconds(minutes * MINUTE, habits)
    costs = Twin(agreed).costs({meter: np.asarray(used, dtype=np.float64) for meter, used in usage.items()})
    lowest = costs.min(axis=0) + NO_DIFFERENCE
    at, cheapest = 0, int(np.argmax(costs[:, 0] <= lowest[0]))
    found = [Switch(int(minutes[0]), cheapest, cheapest)]
    while (dearer := costs[cheapest, at:] > lowest[at:]).any():
        at += int(np.argmax(dearer))
        before, cheapest = cheapest, int(np.argmax(costs[:, at] <= lowest[at]))
        found.append(Switch(int(minutes[at]), before, cheapest))
    return tuple(found)


def _row(agreed: Sequence[Plan | Contract], minutes: int, switches: Sequence[Switch], habits: Habits) -> Row:
    usage = usage_of_seconds(minutes * MINUTE, habits)
    cheapest = next(switch.after for switch in reversed(switches) if switch.minutes <= minutes)
    return Row(minutes, tuple(rate(one, usage).total for one in agreed), cheapest)
