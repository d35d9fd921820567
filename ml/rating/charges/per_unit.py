"""Per unit: every unit beyond the included ones costs the same."""

from decimal import Decimal
from typing import Literal

from ml.rating.charges.curve import Curve, curve, hinge
from ml.rating.money import EXACT
from ml.rating.steps import Step
from ml.rating.terms import Amount, ChargeTerms, Units
from ml.rating.usage import Usage

__all__ = ["PerUnit", "breakdown", "curve_of"]


class PerUnit(ChargeTerms):
    """`unit_price` for each priced unit beyond `included` ones, which are free over the whole period."""

    model: Literal["per_unit"] = "per_unit"
    unit_price: Amount
    included: Units = Decimal(0)

    scales = ("included",)


def breakdown(charge: PerUnit, usage: Usage) -> tuple[Step, ...]:
    """The period's usage as an included and a paid step; full units use up what is included, billed ones are priced."""
    used = usage.quantity
    free = min(used, EXACT.multiply(charge.included, Decimal(charge.per)))
    paid = used - free
    if usage.is_prorated and used:
        paid = EXACT.divide(EXACT.multiply(usage.billed, paid), used)
    steps = (
        Step(free, Decimal(0), charge.per, kind="included"),
        Step(paid, charge.unit_price, charge.per),
    )
    return tuple(step for step in steps if step.quantity)


def curve_of(charge: PerUnit) -> Curve:
    """Float twin of `breakdown` for usage that is not prorated."""
    return curve([hinge(charge.included * charge.per, charge.unit_price / charge.per)])
