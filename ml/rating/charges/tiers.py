"""Tiers: only their inclusive upper bounds are stored, so that they can neither overlap nor leave a gap."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml.rating.money import EXACT
from ml.rating.steps import Step
from ml.rating.terms import Amount, ChargeTerms, Percent, Terms, Units, problems_at, scaled

__all__ = ["Bound", "PercentTier", "Tier", "TieredCharge", "TieredTerms", "tier_problems"]


class Bound(Terms):
    """Up to and including `up_to` priced units, counted from zero; None is open."""

    up_to: Units | None = None
    flat_fee: Amount = Decimal(0)


class Tier(Bound):
    """Each unit of the tier costs `unit_price`."""

    unit_price: Amount


class PercentTier(Bound):
    """Of the money that falls into the tier, `rate_percent` is charged."""

    rate_percent: Percent


class TieredTerms(ChargeTerms):
    """A charge with tiers: bounds strictly ascend, and the last tier, no other, is open.

    `zero_usage_flat` says whether a period without usage owes the first tier's flat fee.
    """

    tiers: Annotated[tuple[Bound, ...], Field(min_length=1)]
    zero_usage_flat: Literal["first_tier", "none"] = "none"

    @model_validator(mode="after")
    def _tiers_ascend_to_an_open_one(self) -> Self:
        found = ((("tiers", index, "up_to"), sentence) for index, sentence in tier_problems(self.tiers))
        problems_at("tiers", found)
        return self

    def scaled(self, share: Fraction) -> Self:
        """The charge for a part of a billing period: tiers are as wide and flat fees as high as the part is long."""
        tiers = tuple(
            tier.model_copy(update={"up_to": scaled(tier.up_to, share), "flat_fee": scaled(tier.flat_fee, share)})
            for tier in self.tiers
        )
        return super().scaled(share).model_copy(update={"tiers": tiers})

    def bound_of(self, tier: Bound) -> Decimal | None:
        """The upper bound of a tier in units of the meter; None is open."""
        return None if tier.up_to is None else EXACT.multiply(tier.up_to, Decimal(self.per))

    @property
    def zero_usage_fee(self) -> Decimal:
        """What a period without usage costs: the first tier's flat fee if the terms say so, else nothing."""
        return self.tiers[0].flat_fee if self.zero_usage_flat == "first_tier" else Decimal(0)

    def zero_usage_steps(self) -> tuple[Step, ...]:
        """The steps of a period without usage."""
        fee = self.zero_usage_fee
        return (Step(Decimal(0), Decimal(0), self.per, fee, tier=1),) if fee else ()


class TieredCharge(TieredTerms):
    """Tiers with a price per unit."""

    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]


def tier_problems(tiers: tuple[Bound, ...]) -> Iterable[tuple[int, str]]:
    """(index, sentence) of each tier that is out of order, or closed where it must be open."""
    bound, last = Decimal(0), len(tiers) - 1
    for index, tier in enumerate(tiers):
        if tier.up_to is None:
            if index != last:
                yield index, "the tier is open, but another one follows it; only the last tier may be open"
            continue
        if tier.up_to <= bound:
            before = f"the tier before it ({bound})" if index else "0, where the first tier starts"
            yield index, f"{tier.up_to} does not lie above {before}; tiers must ascend"
        if index == last:
            yield index, f"the last tier ends at {tier.up_to}; leave it open (null), so that all usage has a price"
        bound = tier.up_to
