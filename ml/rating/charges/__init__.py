"""The charge models that a plan may name; a new one is its own file plus its entry here."""

from decimal import Decimal
from typing import Annotated, Any, Protocol

from pydantic import Field

from ml.rating.charges import (
    dynamic,
    flat,
    graduated,
    graduated_percentage,
    package,
    per_bucket,
    per_unit,
    percentage,
    volume,
)
from ml.rating.charges.curve import Curve, NoTwinError
from ml.rating.charges.dynamic import Dynamic
from ml.rating.charges.flat import Flat
from ml.rating.charges.graduated import Graduated
from ml.rating.charges.graduated_percentage import GraduatedPercentage
from ml.rating.charges.package import Package
from ml.rating.charges.per_bucket import (
    Bucketed,
    GraduatedPerBucket,
    PackagePerBucket,
    PerUnitPerBucket,
    VolumePerBucket,
)
from ml.rating.charges.per_unit import PerUnit
from ml.rating.charges.percentage import Percentage
from ml.rating.charges.rounding import rounded
from ml.rating.charges.time_of_day import TimeOfDay
from ml.rating.charges.volume import Volume
from ml.rating.money import exactly
from ml.rating.steps import Kind, Step, cost_of
from ml.rating.usage import Usage

__all__ = ["MODELS", "MODEL_NAMES", "Charge", "NoTwinError", "Priced", "breakdown", "curve_of"]

Priced = (
    PerUnit
    | Graduated
    | Volume
    | Package
    | Percentage
    | GraduatedPercentage
    | Flat
    | Dynamic
    | PerUnitPerBucket
    | GraduatedPerBucket
    | VolumePerBucket
    | PackagePerBucket
)
"""A charge for one meter, which has a price of its own."""

Charge = Annotated[Priced | TimeOfDay, Field(discriminator="model")]
"""What a plan may hold; a price by time of day is one charge per part of the day."""


class ChargeModel(Protocol):
    """What the file of a charge model offers."""

    def breakdown(self, charge: Any, usage: Usage) -> tuple[Step, ...]:
        """The steps that the usage falls into, before discounts and bounds."""

    def curve_of(self, charge: Any) -> Curve:
        """The same price as a function of the period's total."""


MODELS: dict[str, ChargeModel] = {
    "per_unit": per_unit,
    "graduated": graduated,
    "volume": volume,
    "package": package,
    "percentage": percentage,
    "graduated_percentage": graduated_percentage,
    "flat": flat,
    "dynamic": dynamic,
    "per_unit_per_bucket": per_bucket,
    "graduated_per_bucket": per_bucket,
    "volume_per_bucket": per_bucket,
    "package_per_bucket": per_bucket,
}

MODEL_NAMES = (*MODELS, "time_of_day")
"""What a charge may name as its model."""


@exactly
def breakdown(
    charge: Priced, usage: Usage, *, seasonal_percent: Decimal = Decimal(0), is_final: bool = True
) -> tuple[Step, ...]:
    """The steps that a period's usage falls into, and what discounts and bounds make of their sum.

    In this order: the model's price, the seasonal change, the discount, the maximum, and the minimum, which is owed
    only when the period is over (`is_final`).
    """
    if not isinstance(charge, Bucketed):
        usage = rounded(usage, charge.quantity_rounding, charge.per)
    steps = MODELS[charge.model].breakdown(charge, usage)
    cost, adjustments = cost_of(steps), []
    changes: tuple[tuple[Kind, Decimal], ...] = ("seasonal", seasonal_percent), ("discount", -charge.discount_percent)
    for kind, percent in changes:
        change = cost * percent / 100
        adjustments.append(Step.adjusting(kind, change))
        cost += change
    if charge.maximum is not None:
        adjustments.append(Step.adjusting("maximum", min(charge.maximum - cost, Decimal(0))))
        cost = min(charge.maximum, cost)
    if charge.minimum is not None and is_final:
        adjustments.append(Step.adjusting("minimum", max(charge.minimum - cost, Decimal(0))))
    return (*steps, *(step for step in adjustments if step.flat_fee))


def curve_of(charge: Priced) -> Curve:
    """The float twin of the model's price, before discounts and bounds.

    Raises:
        NoTwinError: for prices per event or per bucket.
    """
    return MODELS[charge.model].curve_of(charge)
