"""Volume: all units cost the price of the tier that the total falls into.

Not monotone: 501 minutes may cost less than 500. Nothing here hides that; a re-rating then books a credit.
"""

from decimal import Decimal
from typing import Literal

from ml.rating.charges.curve import ONE, Curve, Feature, curve, hinge, jump
from ml.rating.charges.tiers import TieredCharge
from ml.rating.steps import Step
from ml.rating.usage import Usage

__all__ = ["Volume", "breakdown", "curve_of"]


class Volume(TieredCharge):
    """Tiers of which exactly one, the one that holds the period's total, prices all of it."""

    model: Literal["volume"] = "volume"


def breakdown(charge: Volume, usage: Usage) -> tuple[Step, ...]:
    """The period's billed quantity as one step at the tier of its full quantity; a negative total counts as none."""
    quantity = usage.quantity
    if not quantity:
        return charge.zero_usage_steps()
    number = sum(quantity > bound for tier in charge.tiers if (bound := charge.bound_of(tier)) is not None)
    tier = charge.tiers[number]
    return (Step(usage.billed, tier.unit_price, charge.per, tier.flat_fee, number + 1),)


def curve_of(charge: Volume) -> Curve:
    """Float twin of `breakdown`: above each bound all units change their price, and the flat fee is another."""
    parts: list[tuple[Feature, float]] = [(ONE, float(charge.zero_usage_fee)), jump(0, -charge.zero_usage_fee)]
    lower, price, fee = Decimal(0), Decimal(0), Decimal(0)
    for tier in charge.tiers:
        change = (tier.unit_price - price) / charge.per
        parts += [hinge(lower, change), jump(lower, change * lower + tier.flat_fee - fee)]
        lower = charge.bound_of(tier) or lower
        price, fee = tier.unit_price, tier.flat_fee
    return curve(parts)
