"""The pieces that a quantity falls into under a charge: what a bill shows, and what its amount is the sum of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from ml.rating.money import exactly

__all__ = ["Kind", "Step", "added", "cost_of"]

Kind = Literal[
    "usage", "included", "event_bounds", "commitment", "seasonal", "discount", "maximum", "minimum", "proration"
]


@dataclass(frozen=True)
class Step:
    """`quantity` units of the meter at `unit_price` for each `per` of them, plus a `flat_fee`.

    `tier` counts from 1. Kinds other than usage and included change the amount only: their quantity is 0.
    """

    quantity: Decimal
    unit_price: Decimal
    per: int = 1
    flat_fee: Decimal = Decimal(0)
    tier: int | None = None
    kind: Kind = "usage"

    @classmethod
    def adjusting(cls, kind: Kind, amount: Decimal) -> "Step":
        """A step that changes the amount and no quantity."""
        return cls(Decimal(0), Decimal(0), flat_fee=amount, kind=kind)


@exactly
def cost_of(steps: Iterable[Step]) -> Decimal:
    """Unrounded cost of the steps of one charge.

    What is priced for the same number of units is summed before it is divided: 2 seconds at 0.15 per minute are exactly
    0.005, where 2 / 60 first would fall below the tie and lose a cent.
    """
    by_usage: dict[int, Decimal] = {}
    fees = Decimal(0)
    for step in steps:
        by_usage[step.per] = by_usage.get(step.per, Decimal(0)) + step.quantity * step.unit_price
        fees += step.flat_fee
    return sum((amount / per for per, amount in by_usage.items()), fees)


def added(before: Sequence[Step], after: Sequence[Step]) -> tuple[Step, ...]:
    """What came between two breakdowns of one charge: steps of the differences, those that did not change left out."""
    sums: dict[tuple[Kind, int | None, Decimal, int], Step] = {}
    for sign, steps in ((-1, before), (1, after)):
        for step in steps:
            key = step.kind, step.tier, step.unit_price, step.per
            known = sums.get(key, replace(step, quantity=Decimal(0), flat_fee=Decimal(0)))
            sums[key] = replace(
                known, quantity=known.quantity + sign * step.quantity, flat_fee=known.flat_fee + sign * step.flat_fee
            )
    return tuple(step for step in sums.values() if step.quantity or step.flat_fee)
