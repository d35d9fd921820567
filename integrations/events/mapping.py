"""Source mappings: a YAML file that turns a foreign CSV or TSV into events, with no code."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from integrations.events.contract import Filtered, Refused, UsageEvent, convert_event

__all__ = ["Filtered", "MappingError", "SourceMapping", "load_mapping", "localise"]

PLACEHOLDER = re.compile(r"\{(?P<column>[^{}\[]+)(?:\[:(?P<length>\d+)\])?\}")
ANY_OTHER = "*"


class MappingError(ValueError):
    """A source mapping that can't be used; the message names the file and every field at fault."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeColumns(_Strict):
    """The columns that, joined with a blank, hold the local time, and its strptime format."""

    columns: tuple[str, ...] = Field(min_length=1)
    format: str


class EventTemplates(_Strict):
    """Templates of the event's fields: `{column}`, or `{column[:4]}` for its first four characters."""

    id: str
    source: str
    type: str
    subject: str
    data: dict[str, str] = {}


class Filter(_Strict):
    """Leave out rows in which `column` has one of the values."""

    name: str
    column: str
    equals: tuple[str, ...] = Field(min_length=1)


class SourceMapping(_Strict):
    """How the rows of one foreign table become events."""

    delimiter: Annotated[str, Field(pattern=r'^[^\r\n"]$')] = ","
    time_zone: str
    time: TimeColumns
    event: EventTemplates
    values: dict[str, dict[str, str | None]] = {}
    filters: tuple[Filter, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"no time zone {name!r} is known; use an IANA name like Europe/Berlin") from error
        return name

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for name, template in self._templates().items():
            if set("{}") & set(PLACEHOLDER.sub("", template)):
                raise ValueError(f"the template {name}: {template!r} is not like {{column}} or {{column[:4]}}")
        if unknown := sorted(set(self.values) - set(self._templates())):
            raise ValueError(f"values are given for {', '.join(unknown)}, but the event has no such field")
        return self

    def _templates(self) -> dict[str, str]:
        event = self.event
        return {"id": event.id, "source": event.source, "type": event.type, "subject": event.subject, **event.data}

    def columns(self) -> set[str]:
        """Every column that the mapping reads."""
        templates = self._templates().values()
        named = {match["column"] for template in templates for match in PLACEHOLDER.finditer(template)}
        return named | set(self.time.columns) | {rule.column for rule in self.filters}

    def event_of(self, row: Mapping[str, str]) -> tuple[UsageEvent, bool]:
        """The event of one row, and whether its local time did not exist and was shifted forward.

        Raises:
            Filtered: when a rule leaves the row out.
            Refused: when the row breaks the event contract.
        """
        for rule in self.filters:
            if row[rule.column] in rule.equals:
                raise Filtered(rule.name)
        time, is_shifted = self._time_of(" ".join(row[column] for column in self.time.columns))
        fields = {name: self._expand(name, template, row) for name, template in self._templates().items()}
        data = {name: fields.pop(name) for name in self.event.data}
        named = {name: value for name, value in data.items() if value is not None}
        return convert_event({**fields, "time": time, "data": named}), is_shifted

    def _time_of(self, written: str) -> tuple[datetime, bool]:
        try:
            time = datetime.strptime(written, self.time.format)  # noqa: DTZ007 (a zone follows where it names none)
            return (time, False) if time.tzinfo else localise(time, ZoneInfo(self.time_zone))
        except (ValueError, OverflowError) as error:
            message = f"time {written!r} is not in the format {self.time.format!r}"
            raise Refused("invalid_field", message, "time") from error

    def _expand(self, name: str, template: str, row: Mapping[str, str]) -> str | None:
        def value(match: re.Match[str]) -> str:
            return row[match["column"]][: int(match["length"]) if match["length"] else None]

        expanded = PLACEHOLDER.sub(value, template)
        table = self.values.get(name, {})
        return table.get(expanded, table.get(ANY_OTHER, expanded)) or None


def localise(naive: datetime, zone: tzinfo) -> tuple[datetime, bool]:
    """Give a local time its zone; an ambiguous one is the first, one that does not exist is shifted forward.

    Returns:
        The time in UTC, and whether it was shifted.
    """
    instant = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return instant, instant.astimezone(zone).replace(tzinfo=None) != naive


def load_mapping(path: Path) -> SourceMapping:
    """Read and validate a source mapping.

    Raises:
        MappingError: naming the file and every field at fault.
    """
    try:
        return SourceMapping.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'mapping'}: {f['msg']}" for f in error.errors())
        raise MappingError(f"{path.name}: {faults}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MappingError(f"{path.name} can't be read as YAML: {error}") from error
