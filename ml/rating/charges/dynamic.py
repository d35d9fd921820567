"""Dynamic: the events bear their own price, as money that a meter adds up; the plan says by what it is multiplied."""

from decimal import Decimal
from typing import Literal

from ml.rating.charges.curve import Curve, curve, hinge
from ml.rating.steps import Step
from ml.rating.terms import Amount, ChargeTerms
from ml.rating.usage import Usage

__all__ = ["Dynamic", "breakdown", "curve_of"]


class Dynamic(ChargeTerms):
    """The metered money times `multiplier` (1 passes a cost on, 1.2 adds 20 %)."""

    model: Literal["dynamic"] = "dynamic"
    multiplier: Amount = Decimal(1)


def breakdown(charge: Dynamic, usage: Usage) -> tuple[Step, ...]:
    """One step at the multiplier; a negative total counts as none."""
    return (Step(usage.billed, charge.multiplier, charge.per),) if usage.billed else ()


def curve_of(charge: Dynamic) -> Curve:
    """Float twin of `breakdown`."""
    return curve([hinge(0, charge.multiplier / charge.per)])
