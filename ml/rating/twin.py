"""The float twin of `rate`: the same prices for simulation, for many plans and scenarios at once.

Nearly every price is a sum of few simple functions of a period's total: hinges and jumps at tier bounds, counts of
packages. The plans share them, so each is computed once, and all plans are one matrix product over them.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ml.rating.charges import NoTwinError, Priced, curve_of
from ml.rating.charges.curve import Feature
from ml.rating.contract import Contract, PeriodTerms, period_terms
from ml.rating.plan import Plan
from ml.rating.steps import cost_of
from ml.rating.terms import QuantityRounding
from ml.rating.usage import check_meters

__all__ = ["NoTwinError", "Twin", "monthly_cost", "monthly_costs"]

Floats = NDArray[np.float64]
Basis = tuple[str, QuantityRounding | None, int, Feature]
"""A function of one meter's total: the meter, how it is rounded first (in units of `per`), and the function."""

BLOCK = 8192
"""Scenarios computed together: the columns of a block stay in the cache of one core."""
NOISE = 8 * float(np.finfo(np.float64).eps)
"""How far, relative to its parts, a sum or quotient of floats may lie from the exact one."""


def monthly_cost(agreed: Plan | Contract | PeriodTerms, usage: Mapping[str, Floats]) -> Floats:
    """Unrounded cost of each period under one plan; `monthly_costs` for many."""
    cost: Floats = monthly_costs([agreed], usage)[0]
    return cost


def monthly_costs(agreed: Sequence[Plan | Contract | PeriodTerms], usage: Mapping[str, Floats]) -> Floats:
    """Unrounded cost of each period under each of p plans: [p, *shape], each in its plan's currency.

    `usage` holds quantities by meter, in the meter's unit (time in seconds), whose shapes broadcast together to the
    shape of the result, e.g. [companies, scenarios]. Equals `rate.exact_total` to 1e-6 relative. A missing meter was
    not used; an unknown one raises ValueError, a price without a twin NoTwinError.
    """
    return Twin(agreed).costs(usage)


class Twin:
    """Plans made ready for simulation. Raises NoTwinError, which names the plan, for a price per event or bucket.

    Rows of the matrix are the plans, and behind them the charges that have bounds of their own.
    """

    def __init__(self, agreed: Sequence[Plan | Contract | PeriodTerms]) -> None:
        self.terms = [one if isinstance(one, PeriodTerms) else period_terms(one) for one in agreed]
        self.basis: dict[Basis, int] = {}
        self.bounded: list[tuple[int, float, float]] = []
        rows = [self._plan_row(terms) for terms in self.terms]
        for row, terms in enumerate(self.terms):
            for charge in terms.charges:
                if _is_bounded(charge):
                    self.bounded.append((row, _low(charge.minimum), _high(charge.maximum)))
                    rows.append(self._charge_row(terms, charge))
        self.constants = np.array([_fees(terms) for terms in self.terms] + [0.0] * len(self.bounded))[:, None]
        self.matrix = np.zeros((len(rows), len(self.basis)))
        for index, coefficients in enumerate(rows):
            for column, coefficient in coefficients.items():
                self.matrix[index, column] = coefficient
        bounds = [(_low(terms.minimum_spend), _high(terms.maximum_spend)) for terms in self.terms]
        self.clips = [(row, low, high) for row, (low, high) in enumerate(bounds) if (low, high) != (-np.inf, np.inf)]

    def costs(self, usage: Mapping[str, Floats]) -> Floats:
        """As `monthly_costs`."""
        check_meters(usage)
        shape = np.broadcast_shapes(*(np.shape(values) for values in usage.values()))
        flat = {
            meter: np.broadcast_to(np.asarray(values, dtype=np.float64), shape).reshape(-1)
            for meter, values in usage.items()
        }
        size = int(np.prod(shape))
        costs = np.empty((len(self.terms), size))
        columns = np.empty((len(self.basis), min(BLOCK, size)))
        for start in range(0, size, BLOCK):
            part = slice(start, min(start + BLOCK, size))
            block = columns[:, : part.stop - part.start]
            self._fill(block, {meter: values[part] for meter, values in flat.items()})
            costs[:, part] = self._priced(block)
        return costs.reshape(len(self.terms), *shape)

    def _priced(self, block: Floats) -> Floats:
        rows = self.matrix @ block + self.constants
        costs: Floats = rows[: len(self.terms)]
        for (plan, low, high), charge in zip(self.bounded, rows[len(self.terms) :], strict=True):
            costs[plan] += np.clip(charge, low, high)
        for plan, low, high in self.clips:
            np.clip(costs[plan], low, high, out=costs[plan])
        return costs

    def _fill(self, block: Floats, usage: Mapping[str, Floats]) -> None:
        quantities: dict[tuple[str, QuantityRounding | None, int], Floats] = {}
        nothing = np.zeros(block.shape[1])
        for (meter, rounding, per, feature), row in self.basis.items():
            key = meter, rounding, per
            if key not in quantities:
                quantities[key] = _rounded(np.maximum(usage.get(meter, nothing), 0.0), rounding, per)
            _evaluate(feature, quantities[key], block[row])

    def _plan_row(self, terms: PeriodTerms) -> dict[int, float]:
        row: dict[int, float] = {}
        for charge in terms.charges:
            if not _is_bounded(charge):
                for column, coefficient in self._charge_row(terms, charge).items():
                    row[column] = row.get(column, 0.0) + coefficient
        return row

    def _charge_row(self, terms: PeriodTerms, charge: Priced) -> dict[int, float]:
        factor = float((100 - charge.discount_percent) * (100 + terms.seasonal.get(charge.meter, 0))) / 10_000
        try:
            parts = curve_of(charge)
        except NoTwinError as error:
            raise NoTwinError(f"plan {terms.plan_key} v{terms.plan_version}: {error}") from error
        row: dict[int, float] = {}
        for feature, coefficient in parts:
            per = charge.per if charge.quantity_rounding else 1
            column = self.basis.setdefault((charge.meter, charge.quantity_rounding, per, feature), len(self.basis))
            row[column] = row.get(column, 0.0) + coefficient * factor
        return row


def _evaluate(feature: Feature, quantity: Floats, out: Floats) -> None:
    if feature.kind == "one":
        out.fill(1.0)
    elif feature.kind == "jump":
        np.greater(quantity, feature.at, out=out, casting="unsafe")
    elif feature.kind == "hinge" and not feature.at:
        np.copyto(out, quantity)
    else:
        np.subtract(quantity, feature.at, out=out)
        np.maximum(out, 0.0, out=out)
        if feature.kind != "hinge":
            _count_packages(feature, quantity, out)


def _count_packages(feature: Feature, quantity: Floats, out: Floats) -> None:
    np.divide(out, feature.size, out=out)
    noise = (NOISE / feature.size) * (quantity + feature.at)
    _to_whole(out, noise, feature.kind, out)


def _to_whole(values: Floats, noise: Floats, how: str, out: Floats) -> None:
    """Values rounded to whole numbers; one that is whole but for the noise of floats counts as that number."""
    if how in ("up", "ceil"):
        np.ceil(values - noise, out=out)
    else:
        np.floor(values + noise + (0.0 if how in ("down", "floor") else 0.5), out=out)


def _rounded(quantity: Floats, rounding: QuantityRounding | None, per: int) -> Floats:
    if rounding is None:
        return quantity
    unit = per * 10.0**-rounding.precision
    whole = np.empty_like(quantity)
    _to_whole(quantity / unit, quantity * (NOISE / unit), rounding.how, whole)
    return whole * unit


def _is_bounded(charge: Priced) -> bool:
    return charge.minimum is not None or charge.maximum is not None


def _low(bound: Decimal | None) -> float:
    return -np.inf if bound is None else float(bound)


def _high(bound: Decimal | None) -> float:
    return np.inf if bound is None else float(bound)


def _fees(terms: PeriodTerms) -> float:
    return float(sum(cost_of(fee.steps) for fee in terms.fees))
