"""Source mappings: a YAML file that turns a foreign table into events, with no code; MAPPING.md explains it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from integrations.events.contract import Filtered, Refused, UsageEvent, convert_event
from integrations.events.mapping_fields import MappedField, Template
from integrations.events.mapping_filters import Filter
from integrations.events.mapping_settings import (
    DataTemplates,
    Defaults,
    EventTemplates,
    Numbers,
    Strict,
    TimeColumns,
    Values,
    Zone,
    constant_faults,
)
from integrations.events.mapping_times import TimeReader, has_offset, zone_of

__all__ = ["Filtered", "MappingError", "SourceMapping", "load_mapping"]

HINTS = {
    "extra_forbidden": "no such setting is known; see MAPPING.md",
    "missing": "is missing",
    "string_type": "must be text; put it in quotes",
}


class MappingError(ValueError):
    """A source mapping that can't be used; the message names the file and every field at fault."""


class SourceMapping(Strict):
    """How the rows of one foreign table become events.

    Attributes:
        time_zone: of times that name no offset: a name, an offset, or a template such as `{tz}`.
        values: per field, what stands for what was written; null leaves the field out, `*` is any other value.
        defaults: per field, its value when all its columns are empty.
    """

    delimiter: Annotated[str, Field(pattern=r'^[^\r\n"]$')] = ","
    time_zone: Zone | None = None
    time: TimeColumns
    event: EventTemplates
    numbers: Numbers = Numbers()
    values: Values = Field(default_factory=dict)
    defaults: Defaults = Field(default_factory=dict)
    filters: tuple[Filter, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        known = set(self._templates())
        numbers = {name for name in Numbers.model_fields if getattr(self.numbers, name)}
        for section, given in (("values", set(self.values)), ("defaults", set(self.defaults)), ("numbers", numbers)):
            if unknown := sorted(given - known):
                yield f"{section} are given for {', '.join(unknown)}, but the event has no such field"
        yield from constant_faults(self.values, self.defaults)
        names = [rule.name for rule in self.filters]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield f"more than one filter has the name {', '.join(twice)}, by which rows are counted"
        if self.time_zone is None and not all(map(has_offset, self.time.format)):
            yield "time_zone is missing, and a format of time names no offset; give the zone, or write %z"

    def _templates(self) -> dict[str, str]:
        """The template of every field that a row gives, by the name that `values` and `defaults` know."""
        event = self.event.model_dump(exclude={"data"}) | self.event.data.model_dump(exclude={"properties"})
        free = {f"properties.{name}": text for name, text in self.event.data.properties.items()}
        found = {"time_zone": self.time_zone, **event, **free}
        return {name: text for name, text in found.items() if text is not None}

    @cached_property
    def _fields(self) -> dict[str, MappedField]:
        return {
            name: MappedField(
                name if name in EventTemplates.model_fields or name == "time_zone" else f"data.{name}",
                Template(text),
                self.values.get(name, {}),
                self.defaults.get(name),
                getattr(self.numbers, name, None),
            )
            for name, text in self._templates().items()
        }

    @cached_property
    def _parts(self) -> tuple[list[tuple[str, MappedField]], ...]:
        """The fields of the envelope, of the payload and of its free properties, each with its name there."""
        envelope = [(name, field) for name, field in self._fields.items() if name in EventTemplates.model_fields]
        payload = [(name, field) for name, field in self._fields.items() if name in DataTemplates.model_fields]
        free = [(name, self._fields[f"properties.{name}"]) for name in self.event.data.properties]
        return envelope, payload, free

    @cached_property
    def _times(self) -> TimeReader:
        return TimeReader(self.time.format)

    def columns(self) -> set[str]:
        """Every column that the mapping reads."""
        named = {column for field in self._fields.values() for column in field.template.columns}
        return named | set(self.time.columns) | {rule.column for rule in self.filters}

    def event_of(self, row: Mapping[str, str]) -> tuple[UsageEvent, bool]:
        """The event of one row, and whether its local time did not exist and was shifted forward.

        Raises:
            Filtered: when a rule leaves the row out.
            Refused: when the row breaks the event contract.
        """
        for rule in self.filters:
            if rule.leaves_out(row):
                raise Filtered(rule.name)
        time, is_shifted = self._time_of(row)
        envelope, payload, free = ({name: field.of(row) for name, field in part} for part in self._parts)
        data = {name: value for name, value in payload.items() if value is not None}
        if properties := {name: value for name, value in free.items() if value is not None}:
            data["properties"] = properties  # type: ignore[assignment]
        try:
            return convert_event({**envelope, "time": time, "data": data}), is_shifted
        except Refused as refused:
            name = (refused.field or "").removeprefix("data.")
            written = {**envelope, **data}.get(name)
            value = "nothing" if written is None else f"{str(written)[:80]!r}"
            raise Refused(refused.reason, f"{refused}; {value} is written", refused.field) from refused

    def _time_of(self, row: Mapping[str, str]) -> tuple[datetime, bool]:
        columns = self.time.columns
        text = (row[columns[0]] if len(columns) == 1 else " ".join([row[column] for column in columns])).strip()
        zone = self._fields.get("time_zone")
        try:
            name = zone.of(row) if zone else None
            return self._times.read(text, zone_of(str(name).strip()) if name else None)
        except ValueError as error:
            raise Refused("invalid_field", str(error), "time") from error


def load_mapping(path: Path) -> SourceMapping:
    """Read and validate a source mapping.

    Raises:
        MappingError: naming the file and every field at fault.
    """
    try:
        return SourceMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, f['loc'])) or 'mapping'}: {_sentence(f)}" for f in error.errors())
        raise MappingError(f"{path.name}: {'; '.join(faults)}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MappingError(f"{path.name} can't be read as YAML: {error}") from error


def _sentence(fault: Mapping[str, Any]) -> str:
    return HINTS.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
