"""Source mappings: a YAML file that turns a foreign CSV or TSV into events, with no code."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from integrations.events.contract import Refused, UsageEvent, convert_event
from integrations.events.readers import UnreadableFile

__all__ = ["Filtered", "MappingError", "SourceMapping", "load_mapping", "localise", "mapped_lines"]

PLACEHOLDER = re.compile(r"\{(?P<column>[^{}\[]+)(?:\[:(?P<length>\d+)\])?\}")
ANY_OTHER = "*"


class MappingError(ValueError):
    """A source mapping that can't be used; the message names the file and every field at fault."""


class Filtered(Exception):
    """A row that the mapping leaves out on purpose, by the rule named."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


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

    delimiter: str = ","
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

    def columns(self) -> set[str]:
        """Every column that the mapping reads."""
        event = self.event
        templates = (event.id, event.source, event.type, event.subject, *event.data.values())
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
        written = " ".join(row[column] for column in self.time.columns)
        try:
            naive = datetime.strptime(written, self.time.format)  # noqa: DTZ007 (the zone follows in `localise`)
        except ValueError as error:
            raise Refused(
                "invalid_field", f"time {written!r} is not in the format {self.time.format!r}", "time"
            ) from error
        time, is_shifted = localise(naive, ZoneInfo(self.time_zone))
        event = self.event
        fields: dict[str, Any] = {
            name: self._expand(name, template, row)
            for name, template in (
                ("id", event.id),
                ("source", event.source),
                ("type", event.type),
                ("subject", event.subject),
            )
        }
        data = {name: self._expand(name, template, row) for name, template in event.data.items()}
        data = {name: value for name, value in data.items() if value is not None}
        return convert_event({**fields, "time": time, "data": data}), is_shifted

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


def mapped_lines(
    file: BinaryIO, mapping: SourceMapping, name: str
) -> Iterator[tuple[int, bytes, tuple[UsageEvent, bool] | Refused | Filtered]]:
    """Each row of a delimited file with its line number, its fields as JSON, and what became of it.

    Raises:
        UnreadableFile: when the file lacks a column that the mapping reads.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.DictReader(text, delimiter=mapping.delimiter)
    missing = mapping.columns() - set(rows.fieldnames or ())
    if missing:
        raise UnreadableFile(f"{name} lacks the columns that its mapping reads: {', '.join(sorted(missing))}")
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield rows.line_num, b"", Refused("malformed_row", f"the row can't be read: {error}")
            continue
        payload = json.dumps(row, ensure_ascii=True, default=str).encode()
        yield rows.line_num, payload, _fate(mapping, row)


def _fate(mapping: SourceMapping, row: dict[str, Any]) -> tuple[UsageEvent, bool] | Refused | Filtered:
    if None in row or None in row.values():
        return Refused("malformed_row", "the row has more or fewer fields than the header")
    if any(not value.isprintable() and not _is_encodable(value) for value in row.values()):
        return Refused("malformed_row", "the row is not UTF-8")
    try:
        return mapping.event_of(row)
    except (Refused, Filtered) as outcome:
        return outcome


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
