"""The charge models that a plan may name; a new one is its own file plus its entry here."""

from decimal import Decimal
from typing import Annotated, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ml.rating import graduated, per_unit, volume
from ml.rating.graduated import Graduated
from ml.rating.per_unit import PerUnit
from ml.rating.steps import Step
from ml.rating.volume import Volume

__all__ = ["MODELS", "Charge", "ChargeModel", "amount", "amounts", "breakdown"]

Charge = Annotated[PerUnit | Graduated | Volume, Field(discriminator="model")]


class ChargeModel(Protocol):
    """What the file of a charge model offers: a price in exact decimals, its parts, and its float twin."""

    def breakdown(self, charge: Any, quantity: Decimal) -> tuple[Step, ...]:
        """The steps that the quantity falls into."""

    def amount(self, charge: Any, quantity: Decimal) -> Decimal:
        """Unrounded cost of the quantity."""

    def amounts(self, charge: Any, quantities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unrounded float cost of each quantity."""


MODELS: dict[str, ChargeModel] = {"per_unit": per_unit, "graduated": graduated, "volume": volume}


def breakdown(charge: Charge, quantity: Decimal) -> tuple[Step, ...]:
    """The steps that a period's cumulative quantity (units of the meter) falls into under the charge's model."""
    return MODELS[charge.model].breakdown(charge, quantity)


def amount(charge: Charge, quantity: Decimal) -> Decimal:
    """Unrounded cost of a period's cumulative quantity (units of the meter) under the charge's model."""
    return MODELS[charge.model].amount(charge, quantity)


def amounts(charge: Charge, quantities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Float twin of `amount`, elementwise over any shape."""
    return MODELS[charge.model].amounts(charge, quantities)
