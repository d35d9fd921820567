"""Dominated plans: no usage makes them the cheapest, and nothing that they grant makes up for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np

from ml.rating.contract import Contract
from ml.rating.lints.finding import Finding, Point, found, label, markets, money
from ml.rating.lints.grid import Floats, UsageGrid
from ml.rating.plan import Plan
from ml.rating.rate import exact_total
from ml.rating.twin import NoTwinError, Twin

__all__ = ["can_replace", "dominated"]

SAME = 1e-9
"""Relative difference up to which two costs are one."""
CLOSE = 0.02
"""Of the points that are as close as this to the plan's best one, the simplest is told."""
SPREADS = (0.5, 0.2, 0.1, 0.05, 0.02)
"""How far around the points at which a plan does best, relative to them, better ones are looked for."""


def dominated(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Plans on sale beside which others, that grant as much, always cost less, paid by the month and by the year.

    Nobody chooses a plan for using nothing, so that usage does not count. Prices per event or bucket are not judged: a
    month's totals don't tell them.
    """
    for market in markets(plans):
        sold = [plan for plan in market if plan.is_sellable and not plan.is_trial and _has_twin(plan)]
        if len(sold) < 2:
            continue
        monthly, yearly = Market(sold, "month"), Market(sold, "year")
        for row, plan in enumerate(sold):
            rivals = [other for other in range(len(sold)) if other != row and can_replace(sold[other], plan)]
            if rivals and not monthly.is_ever_cheapest(row, rivals) and not yearly.is_ever_cheapest(row, rivals):
                yield _finding(monthly, row, rivals)


def can_replace(other: Plan, plan: Plan) -> bool:
    """Whether a plan grants every feature and offers every add-on that another does; limits are judged by usage."""
    granted = {feature.name: feature.usage_limit for feature in other.features if feature.enabled}
    for feature in plan.features:
        if feature.enabled:
            if feature.name not in granted:
                return False
            most = granted[feature.name]
            if most is not None and (feature.usage_limit is None or feature.usage_limit > most):
                return False
    return {add_on.key for add_on in plan.add_ons} <= {add_on.key for add_on in other.add_ons}


@dataclass
class Market:
    """Plans between which one chooses, paid by the month, or by the year where that is possible."""

    plans: Sequence[Plan]
    interval: Literal["month", "year"]

    def __post_init__(self) -> None:
        self.grid = UsageGrid(self.plans)
        self.twin = Twin([Contract(plan, self.interval if plan.annual else "month") for plan in self.plans])

    def costs(self, points: Floats) -> Floats:
        """What each plan costs at points [n, columns], [p, n]; infinite beyond a plan's limits."""
        usage = self.grid.usage(points)
        costs = self.twin.costs(usage).reshape(len(self.plans), len(points))
        for row, plan in enumerate(self.plans):
            for limit in plan.limits:
                costs[row][usage[limit.meter] > float(limit.up_to * limit.per)] = np.inf
        return costs

    def shortfall(self, row: int, rivals: list[int], points: Floats) -> Floats:
        """How much of a plan's cost is too much beside the cheapest rival, [n]; 1 where it can't be used."""
        costs = self.costs(points)
        own, best = costs[row], costs[rivals].min(axis=0)
        with np.errstate(invalid="ignore"):
            short = np.where(own > 0, (own - best) / np.maximum(own, SAME), 0.0)
        return np.where(np.isinf(own), 1.0, short)

    def is_ever_cheapest(self, row: int, rivals: list[int]) -> bool:
        """Whether a plan costs least, or as little as the cheapest rival, on the grid or near where it does best."""
        points, rng = self.grid.points, np.random.default_rng(0)
        for spread in (0.0, *SPREADS):
            if spread:
                near = np.repeat(points[:64], 128, axis=0)
                points = np.vstack([points[:64], near * np.exp(rng.normal(0.0, spread, near.shape))])
            short = self.shortfall(row, rivals, points)
            if (short <= SAME).any():
                return True
            points = points[np.argsort(short, kind="stable")]
        return False


def _finding(market: Market, row: int, rivals: list[int]) -> Finding:
    plan, points = market.plans[row], market.grid.points
    short = market.shortfall(row, rivals, points)
    point = points[[np.argmax(short <= short.min() + CLOSE)]]
    costs = market.costs(point)[:, 0]
    best = min(rivals, key=lambda rival: costs[rival])
    rival = market.plans[best]
    at = _usage(market, point, plan, rival)
    usage = {point.meter: point.used for point in at}
    own, less = (money(exact_total(one, usage), one.currency) for one in (plan, rival))
    names = " or ".join(label(market.plans[other]) for other in _cheaper(market, row, rivals))
    sentence = (
        f"no usage makes it the cheapest, {names} always costs less; it comes closest at "
        f"{', '.join(map(str, at)) or 'no usage'}, with {own} beside {less} of {label(rival)}"
    )
    return found(plan, "", "dominated", "warning", sentence, *at)


def _cheaper(market: Market, row: int, rivals: list[int]) -> list[int]:
    """Few rivals of which one or another costs less everywhere."""
    costs = market.costs(market.grid.points)
    wins = costs[rivals][:, np.isfinite(costs[row])] < costs[row][np.isfinite(costs[row])]
    chosen: list[int] = []
    while wins.any():
        best = int(np.argmax(wins.sum(axis=1)))
        chosen.append(rivals[best])
        wins &= ~wins[best]
    return chosen


def _usage(market: Market, point: Floats, *plans: Plan) -> tuple[Point, ...]:
    """The point by the meters that these plans charge."""
    per = {charge.meter: charge.per for plan in plans for charge in plan.priced_charges}
    usage = market.grid.usage(point)
    exact = {meter: Decimal(str(round(float(usage[meter][0]), 6))) for meter in per}
    return tuple(Point(meter, used, per[meter]) for meter, used in exact.items() if used)


def _has_twin(plan: Plan) -> bool:
    try:
        Twin([plan])
    except NoTwinError:
        return False
    return True
