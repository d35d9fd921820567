"""The pieces that a quantity falls into under a charge: what a bill shows, and what its amount is the sum of."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from ml.rating.money import EXACT

__all__ = ["Step", "cost_of"]


@dataclass(frozen=True)
class Step:
    """`quantity` units of the meter at `unit_price` for each `per` of them, plus a `flat_fee`."""

    quantity: Decimal
    unit_price: Decimal
    per: int = 1
    flat_fee: Decimal = Decimal(0)


def cost_of(steps: Sequence[Step]) -> Decimal:
    """Unrounded cost of the steps of one charge.

    All steps of a charge have the same `per`, so there is one division, at the end: 2 seconds at 0.15 per minute are
    exactly 0.005, where 2 / 60 first would fall below the tie and lose a cent.
    """
    if not steps:
        return Decimal(0)
    with localcontext(EXACT):
        by_usage = sum((step.quantity * step.unit_price for step in steps), Decimal(0)) / steps[0].per
        return by_usage + sum((step.flat_fee for step in steps), Decimal(0))
