"""Graduated: each unit costs the price of the tier it falls into."""

from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml.rating.steps import Step, cost_of
from ml.rating.terms import TieredCharge

__all__ = ["Graduated", "amount", "amounts", "breakdown"]


class Graduated(TieredCharge):
    """Tiers that are filled one after the other; a tier's flat fee is due as soon as anything falls into it."""

    model: Literal["graduated"] = "graduated"


def breakdown(charge: Graduated, quantity: Decimal) -> tuple[Step, ...]:
    """The period's quantity (units of the meter) as one step per tier reached; a negative total counts as none."""
    if quantity <= 0:
        return charge.zero_usage_steps()
    steps: list[Step] = []
    lower = Decimal(0)
    for tier in charge.tiers:
        if quantity <= lower:
            break
        upper = quantity if tier.up_to is None else min(quantity, tier.up_to * charge.per)
        steps.append(Step(upper - lower, tier.unit_price, charge.per, tier.flat_fee))
        lower = upper
    return tuple(steps)


def amount(charge: Graduated, quantity: Decimal) -> Decimal:
    """Unrounded cost of the period's cumulative quantity (units of the meter)."""
    return cost_of(breakdown(charge, quantity))


def amounts(charge: Graduated, quantities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Float twin of `amount`, elementwise over any shape."""
    used = np.maximum(quantities, 0.0)
    total = (used == 0) * float(charge.zero_usage_fee) if charge.zero_usage_fee else np.zeros_like(used)
    lower, below = 0.0, np.zeros_like(used)
    for tier in charge.tiers:
        upper = np.inf if tier.up_to is None else float(tier.up_to * charge.per)
        up_to_here = used if tier.up_to is None else np.minimum(used, upper)
        if tier.unit_price:
            total += (up_to_here - below) * (float(tier.unit_price) / charge.per)
        if tier.flat_fee:
            total += (used > lower) * float(tier.flat_fee)
        lower, below = upper, up_to_here
    return total
