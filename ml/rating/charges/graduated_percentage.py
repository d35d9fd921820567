"""Graduated percentage: of each tier's money its own share is charged."""

from typing import Annotated, Literal

from pydantic import Field

from ml.rating.charges.curve import Curve
from ml.rating.charges.graduated import Tiers, filled, graduated_curve
from ml.rating.charges.tiers import PercentTier, TieredTerms
from ml.rating.steps import Step
from ml.rating.usage import Usage

__all__ = ["GraduatedPercentage", "breakdown", "curve_of"]


class GraduatedPercentage(TieredTerms):
    """Tiers of money, filled one after the other; a tier's flat fee is due as soon as anything falls into it."""

    model: Literal["graduated_percentage"] = "graduated_percentage"
    tiers: Annotated[tuple[PercentTier, ...], Field(min_length=1)]


def breakdown(charge: GraduatedPercentage, usage: Usage) -> tuple[Step, ...]:
    """The period's money as one step per tier reached; a negative total counts as none."""
    quantity = usage.quantity
    return filled(_tiers(charge), quantity, 100) if quantity else charge.zero_usage_steps()


def curve_of(charge: GraduatedPercentage) -> Curve:
    """Float twin of `breakdown`."""
    return graduated_curve(_tiers(charge), 100, charge.zero_usage_fee)


def _tiers(charge: GraduatedPercentage) -> Tiers:
    return [(charge.bound_of(tier), tier.rate_percent, tier.flat_fee) for tier in charge.tiers]
