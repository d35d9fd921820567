"""Package: what is free is taken off first, then the period's total is rounded to whole packages."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Annotated, Literal

from pydantic import Field

from ml.rating.charges.curve import Curve, Feature, curve
from ml.rating.money import EXACT
from ml.rating.steps import Step
from ml.rating.terms import Amount, ChargeTerms, Units
from ml.rating.usage import Usage

__all__ = ["Package", "breakdown", "curve_of"]

ROUNDINGS = {"up": ROUND_CEILING, "down": ROUND_FLOOR, "nearest": ROUND_HALF_UP}


class Package(ChargeTerms):
    """`package_price` for each `package_size` priced units beyond `included`; `round` says what becomes of a part."""

    model: Literal["package"] = "package"
    package_price: Amount
    package_size: Annotated[Units, Field(gt=0)]
    included: Units = Decimal(0)
    round: Literal["up", "down", "nearest"] = "up"

    scales = ("included",)


def breakdown(charge: Package, usage: Usage) -> tuple[Step, ...]:
    """The included units, and the number of packages as a flat fee beside the units that fill them."""
    per = Decimal(charge.per)
    used = usage.billed
    free = min(used, EXACT.multiply(charge.included, per))
    size = EXACT.multiply(charge.package_size, per)
    packages = EXACT.divide(used - free, size).to_integral_value(ROUNDINGS[charge.round], EXACT)
    steps = (
        Step(free, Decimal(0), charge.per, kind="included"),
        Step(used - free, Decimal(0), charge.per, EXACT.multiply(packages, charge.package_price)),
    )
    return tuple(step for step in steps if step.quantity)


def curve_of(charge: Package) -> Curve:
    """Float twin of `breakdown`."""
    free, size = float(charge.included * charge.per), float(charge.package_size * charge.per)
    return curve([(Feature(charge.round, free, size), float(charge.package_price))])
