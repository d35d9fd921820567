"""The settings of a source mapping, each checked when it is read."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from integrations.events.mapping_fields import Template
from integrations.events.mapping_numbers import Duration, Money, Quantity
from integrations.events.mapping_times import check_format, zone_of

__all__ = [
    "DataTemplates",
    "Defaults",
    "EventTemplates",
    "Numbers",
    "Strict",
    "TimeColumns",
    "Values",
    "Zone",
    "as_list",
    "constant_faults",
]

EPOCHS = {"epoch_seconds", "epoch_milliseconds"}


class Strict(BaseModel):
    """Settings that can't be changed, and among which an unknown one is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _checked_template(text: str) -> str:
    Template(text)
    return text


def _checked_zone(text: str) -> str:
    if not Template(text).columns:
        zone_of(text)
    return text


def as_list(value: Any) -> Any:
    """One text as a list of it; anything else as it is."""
    return [value] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1), AfterValidator(_checked_template)]
Zone = Annotated[str, AfterValidator(_checked_zone)]
Format = Annotated[str, AfterValidator(check_format)]
Values = dict[str, dict[str, str | None]]
Defaults = dict[str, Annotated[str, Field(min_length=1)]]
Formats = Annotated[tuple[Format, ...], BeforeValidator(as_list), Field(min_length=1)]


class TimeColumns(Strict):
    """The columns that, joined with a blank, hold the time, and the formats in which it may be written.

    A format is `iso8601`, `epoch_seconds`, `epoch_milliseconds`, or made of strptime's directives.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    format: Formats

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if set(self.format) >= EPOCHS:
            raise ValueError("epoch_seconds and epoch_milliseconds can't be told apart; keep one of them")
        if set(self.format) & EPOCHS and len(self.columns) > 1:
            raise ValueError("a time since the epoch stands in one column")
        return self


class DataTemplates(Strict):
    """Templates of the event's payload; `properties` are free ones of any name."""

    branch: Text | None = None
    customer: Text | None = None
    quantity: Text | None = None
    duration_seconds: Text | None = None
    outcome: Text | None = None
    service: Text | None = None
    channel: Text | None = None
    revenue: Text | None = None
    currency: Text | None = None
    properties: dict[str, Text] = {}


class EventTemplates(Strict):
    """Templates of the event's fields: text with `{column}`, or `{column[:4]}` for its first four characters."""

    id: Text
    source: Text
    type: Text
    subject: Text
    data: DataTemplates = DataTemplates()


class Numbers(Strict):
    """How numbers are written, where it is not as the event has them."""

    quantity: Quantity | None = None
    duration_seconds: Duration | None = None
    revenue: Money | None = None


def constant_faults(values: Values, defaults: Defaults) -> Iterator[str]:
    """What can't be used among the zones and numbers that a mapping states itself, one sentence each."""
    for zone in (*values.get("time_zone", {}).values(), defaults.get("time_zone")):
        try:
            zone_of(zone or "UTC")
        except ValueError as error:
            yield str(error)
    for name, read in {"quantity": Decimal, "duration_seconds": int, "revenue": Decimal}.items():
        try:
            read(defaults.get(name, "0"))
        except (ValueError, InvalidOperation):
            yield f"the default {defaults[name]!r} of {name} is no number as the event has it"
