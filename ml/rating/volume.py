"""Volume: all units cost the price of the tier that the total falls into.

Not monotone: 501 minutes may cost less than 500. Nothing here hides that; a re-rating then books a credit.
"""

from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml.rating.steps import Step, cost_of
from ml.rating.terms import TieredCharge

__all__ = ["Volume", "amount", "amounts", "breakdown"]


class Volume(TieredCharge):
    """Tiers of which exactly one, the one that holds the period's total, prices all of it."""

    model: Literal["volume"] = "volume"


def breakdown(charge: Volume, quantity: Decimal) -> tuple[Step, ...]:
    """The period's quantity (units of the meter) as one step at its tier; a negative total counts as none."""
    if quantity <= 0:
        return charge.zero_usage_steps()
    bounds = (tier.up_to for tier in charge.tiers if tier.up_to is not None)
    tier = charge.tiers[sum(quantity > bound * charge.per for bound in bounds)]
    return (Step(quantity, tier.unit_price, charge.per, tier.flat_fee),)


def amount(charge: Volume, quantity: Decimal) -> Decimal:
    """Unrounded cost of the period's cumulative quantity (units of the meter)."""
    return cost_of(breakdown(charge, quantity))


def amounts(charge: Volume, quantities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Float twin of `amount`, elementwise over any shape."""
    used = np.maximum(quantities, 0.0)
    bounds = [float(tier.up_to * charge.per) for tier in charge.tiers if tier.up_to is not None]
    tier = np.searchsorted(np.array(bounds), used, side="left")
    unit_prices = np.array([float(tier.unit_price) / charge.per for tier in charge.tiers])
    flat_fees = np.array([float(tier.flat_fee) for tier in charge.tiers])
    return np.where(used == 0, float(charge.zero_usage_fee), used * unit_prices[tier] + flat_fees[tier])
