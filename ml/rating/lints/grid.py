"""Usage to try plans with: every bound, what lies just above it, and multiples, over all meters that they price."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from ml.rating.charges import Priced
from ml.rating.lints.counted import cells_of
from ml.rating.plan import Plan

__all__ = ["Floats", "UsageGrid"]

Floats = NDArray[np.float64]
MULTIPLES = (3, 10, 30, 100, 1000)
"""Of the highest bound of a meter."""
SMALL = (1, 3, 10, 30)
"""Priced units that are tried without any bound."""
MOST_POINTS = 40_000


class UsageGrid:
    """Usage is what meters count together: with business hours apart, call time is two columns and not three.

    `points` [n, columns] holds quantities in units of the meters, those with the fewest columns in use first; each has
    some usage, if there is a meter at all.
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        limited = {limit.meter for plan in plans for limit in plan.limits}
        self.meters = sorted(limited.union(*(plan.meters for plan in plans)))
        cells = {cell for meter in self.meters for cell in cells_of(meter)}
        counting = {frozenset(meter for meter in self.meters if cell in cells_of(meter)) for cell in cells}
        self.columns = sorted(counting, key=sorted)
        self.points = _combined([sorted(_values(plans, column)) for column in self.columns])

    def usage(self, points: Floats) -> Mapping[str, Floats]:
        """The quantities [n] of each meter at points [n, columns]."""
        counted = {meter: [i for i, column in enumerate(self.columns) if meter in column] for meter in self.meters}
        return {meter: points[:, columns].sum(axis=1) for meter, columns in counted.items()}


def _values(plans: Sequence[Plan], meters: frozenset[str]) -> set[float]:
    bounds: set[Decimal] = set()
    units = {1}
    for plan in plans:
        for charge in plan.priced_charges:
            if charge.meter in meters:
                units.add(charge.per)
                bounds.update(bound * charge.per for bound in _bounds(charge))
        bounds.update(limit.up_to * limit.per for limit in plan.limits if limit.meter in meters)
    unit = max(units)
    highest = max([*bounds, Decimal(30 * unit)])
    above = {bound + unit for bound in bounds}
    multiples = {highest * multiple for multiple in MULTIPLES}
    return {0.0, *map(float, bounds | above | multiples), *(float(unit * number) for number in SMALL)}


def _bounds(charge: Priced) -> Iterator[Decimal]:
    """Priced units at which the price of a charge changes."""
    yield from (tier.up_to for tier in getattr(charge, "tiers", ()) if tier.up_to is not None)
    yield from (getattr(charge, name) for name in ("included", "package_size") if getattr(charge, name, None))


def _combined(values: Sequence[Sequence[float]]) -> Floats:
    """All combinations, or as many drawn ones as are still quick to price, beside those of one column alone."""
    if not values:
        return np.zeros((1, 0))
    if prod(map(len, values)) <= MOST_POINTS:
        points = np.array(list(product(*values)), dtype=np.float64)
    else:
        rng = np.random.default_rng(0)
        drawn = [rng.choice(np.array(column), MOST_POINTS) for column in values]
        alone = [row for index, column in enumerate(values) for row in np.outer(column, np.eye(len(values))[index])]
        points = np.vstack([np.array(alone), np.column_stack(drawn)])
    in_use = np.count_nonzero(points, axis=1)
    ordered: Floats = points[np.argsort(in_use, kind="stable")]
    return ordered[np.count_nonzero(in_use == 0) :]
