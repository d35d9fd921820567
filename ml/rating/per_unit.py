"""Per unit: every unit beyond the included ones costs the same."""

from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml.rating.steps import Step, cost_of
from ml.rating.terms import Amount, ChargeTerms, Units

__all__ = ["PerUnit", "amount", "amounts", "breakdown"]


class PerUnit(ChargeTerms):
    """`unit_price` for each priced unit beyond `included` ones, which are free over the whole period."""

    model: Literal["per_unit"] = "per_unit"
    unit_price: Amount
    included: Units = Decimal(0)


def breakdown(charge: PerUnit, quantity: Decimal) -> tuple[Step, ...]:
    """The period's quantity (units of the meter) as an included and a paid step; a negative total counts as none."""
    used = max(quantity, Decimal(0))
    free = min(used, charge.included * charge.per)
    steps = (Step(free, Decimal(0), charge.per), Step(used - free, charge.unit_price, charge.per))
    return tuple(step for step in steps if step.quantity)


def amount(charge: PerUnit, quantity: Decimal) -> Decimal:
    """Unrounded cost of the period's cumulative quantity (units of the meter)."""
    return cost_of(breakdown(charge, quantity))


def amounts(charge: PerUnit, quantities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Float twin of `amount`, elementwise over any shape."""
    if not charge.unit_price:
        return np.zeros_like(quantities)
    beyond = quantities - float(charge.included * charge.per) if charge.included else quantities
    return np.maximum(beyond, 0.0) * (float(charge.unit_price) / charge.per)
