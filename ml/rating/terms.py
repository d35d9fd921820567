"""What all price terms are made of: exact numbers, meters, sentences about what is wrong."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from ml.rating.meters import METERS
from ml.rating.proration import prorated

__all__ = [
    "Amount",
    "ChargeTerms",
    "MeterName",
    "Percent",
    "QuantityRounding",
    "Terms",
    "Units",
    "problem",
    "problems_at",
    "scaled",
]


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
Percent = Annotated[Decimal, _Exact, Field(ge=0, le=100, max_digits=13, decimal_places=10)]
"""A share in percent, 0..100."""
MeterName = Annotated[str, AfterValidator(_known_meter)]


class Terms(BaseModel):
    """Base of all price terms: immutable, and a field that nobody knows is an error.

    A field named in `sparse` is left out of the written terms while it has its default, so that plans which were stored
    before the field existed are still the same terms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    sparse: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        fields = type(self).model_fields
        kept = (name for name in written if name not in self.sparse or not _is_default(self, name, fields[name]))
        return {name: written[name] for name in kept}


def _is_default(terms: BaseModel, name: str, field: Any) -> bool:
    return bool(getattr(terms, name) == field.get_default(call_default_factory=True))


class QuantityRounding(Terms):
    """How a period's quantity is rounded before it is priced: `precision` decimals, of priced units."""

    how: Literal["round", "ceil", "floor"] = "round"
    precision: Annotated[int, Field(ge=-12, le=6)] = 0


class ChargeTerms(Terms):
    """What every charge says: the meter it prices, how many units of it one price is for (60: per minute), and bounds.

    `minimum` and `maximum` are amounts per period: a maximum holds at any time, after discounts; a minimum is owed when
    the period is over.
    """

    sparse = frozenset({"quantity_rounding", "discount_percent", "minimum", "maximum"})

    meter: MeterName
    per: Annotated[int, Field(ge=1)] = 1
    quantity_rounding: QuantityRounding | None = None
    discount_percent: Percent = Decimal(0)
    minimum: Amount | None = None
    maximum: Amount | None = None

    is_per_event: ClassVar[bool] = False
    """Whether the price depends on single events and not on their sum alone."""
    scales: ClassVar[tuple[str, ...]] = ()
    """The fields that grant or demand something per period, beside `minimum` and `maximum`."""

    def scaled(self, share: Fraction) -> Self:
        """The charge for a part of a billing period: what it includes and demands per period counts in proportion."""
        names = [*self.scales, "minimum", "maximum"]
        return self.model_copy(update={name: scaled(getattr(self, name), share) for name in names})


def scaled(amount: Decimal | None, share: Fraction) -> Decimal | None:
    """The amount times the share, unrounded; None stays None."""
    return amount if amount is None or share == 1 else prorated(amount, share)
