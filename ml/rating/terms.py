"""What all price terms are made of: meters, exact numbers, tiers."""

import operator
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from ml.rating.steps import Step

__all__ = [
    "METERS",
    "Amount",
    "ChargeTerms",
    "Terms",
    "Tier",
    "TieredCharge",
    "Units",
    "check_meters",
    "exact_quantity",
]

METERS = {
    "calls": "call",
    "call_seconds": "second",
    "business_hours_call_seconds": "second",
    "after_hours_call_seconds": "second",
    "appointments": "appointment",
}
"""Every meter that a plan may charge, with the unit of its quantities."""


def problem(sentence: str) -> PydanticCustomError:
    """A validation error whose text is the whole sentence."""
    return PydanticCustomError("terms", "{sentence}", {"sentence": sentence})


def problems_at(title: str, found: Iterable[tuple[tuple[str | int, ...], str]]) -> None:
    """Raise one ValidationError for all (location, sentence) pairs, or return if there is none."""
    details = [InitErrorDetails(type=problem(sentence), loc=loc, input=None) for loc, sentence in found]
    if details:
        raise ValidationError.from_exception_data(title, details)


def _without_binary_noise(value: Any) -> Any:
    if isinstance(value, bool):
        raise problem(f"{value} is not a number")
    return str(value) if isinstance(value, float) else value


def _known_meter(meter: str) -> str:
    if meter not in METERS:
        raise problem(f"{meter!r} is not a known meter; use one of {', '.join(METERS)}")
    return meter


_Exact = BeforeValidator(_without_binary_noise)
Amount = Annotated[Decimal, _Exact, Field(ge=0, max_digits=20, decimal_places=10)]
"""Money of a price term, >= 0, up to 10 decimals; a float is read by its shortest text (0.15, not 0.1499999...)."""
Units = Annotated[Decimal, _Exact, Field(ge=0, max_digits=20, decimal_places=6)]
"""Priced units (e.g. minutes), >= 0, up to 6 decimals."""


class Terms(BaseModel):
    """Base of all price terms: immutable, and a field that nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ChargeTerms(Terms):
    """What every charge says: the meter it prices, and how many units of it one price is for (60: per minute)."""

    meter: Annotated[str, AfterValidator(_known_meter)]
    per: Annotated[int, Field(ge=1)] = 1


class Tier(Terms):
    """Prices up to and including `up_to` priced units, counted from zero; `up_to` None is open."""

    up_to: Units | None = None
    unit_price: Amount
    flat_fee: Amount = Decimal(0)


class TieredCharge(ChargeTerms):
    """A charge with tiers: bounds strictly ascend, and the last tier, no other, is open."""

    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    zero_usage_flat: Literal["first_tier", "none"] = "none"

    @model_validator(mode="after")
    def _tiers_ascend_to_an_open_one(self) -> Self:
        found = ((("tiers", index, "up_to"), sentence) for index, sentence in _tier_problems(self.tiers))
        problems_at("tiers", found)
        return self

    @property
    def zero_usage_fee(self) -> Decimal:
        """What a period without usage costs: the first tier's flat fee if the terms say so, else nothing."""
        return self.tiers[0].flat_fee if self.zero_usage_flat == "first_tier" else Decimal(0)

    def zero_usage_steps(self) -> tuple[Step, ...]:
        """The steps of a period without usage."""
        fee = self.zero_usage_fee
        return (Step(Decimal(0), Decimal(0), self.per, fee),) if fee else ()


def _tier_problems(tiers: tuple[Tier, ...]) -> Iterable[tuple[int, str]]:
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


def check_meters(meters: Iterable[str]) -> None:
    """Raise ValueError that names every meter which is not in `METERS`: a misspelt one would cost nothing."""
    unknown = sorted(set(meters) - METERS.keys())
    if unknown:
        raise ValueError(f"usage names unknown meters: {', '.join(unknown)}; use some of {', '.join(METERS)}")


def exact_quantity(meter: str, quantity: Decimal | int) -> Decimal:
    """The quantity as a Decimal; integers of numpy are taken, floats raise TypeError, since a bill must be exact."""
    if isinstance(quantity, Decimal):
        return quantity
    try:
        return Decimal(operator.index(quantity))
    except TypeError:
        kind = type(quantity).__name__
        raise TypeError(f"usage of {meter} is a {kind} ({quantity!r}); pass an int or a Decimal") from None
