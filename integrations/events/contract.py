"""The event contract: CloudEvents 1.0 with a usage payload, and what is said about an event that breaks it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from integrations.events.readers import LONGEST_LINE

__all__ = [
    "VOID",
    "Filtered",
    "Refused",
    "Rejection",
    "UsageData",
    "UsageEvent",
    "Voided",
    "check_line",
    "convert_event",
    "decode_line",
    "decode_lines",
    "refusal_of",
    "voided_by",
]

VOID = "void"  # the type of an event that takes back another one

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Zoned = Annotated[datetime, msgspec.Meta(tz=True)]


class Refused(Exception):
    """An event that can't be counted: a reason code for machines, a sentence for people, and the field at fault."""

    def __init__(self, reason: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


class Filtered(Exception):
    """A row that its mapping leaves out on purpose, by the rule named."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True)
class Rejection:
    """One line that was refused: where, why, and what it said."""

    line: int
    reason: str
    field: str | None
    message: str
    payload: bytes


class UsageData(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What was used. `quantity` counts units of the event's meter; durations are whole seconds."""

    branch: Text | None = None
    customer: Text | None = None
    quantity: Decimal = Decimal(1)
    duration_seconds: int | None = None
    outcome: Text | None = None
    service: Text | None = None
    channel: Text | None = None
    revenue: Decimal | None = None
    currency: Text | None = None
    properties: dict[str, Any] | None = None


class UsageEvent(msgspec.Struct):
    """One CloudEvent; within a company, (`source`, `id`) makes it unique for ever. Other attributes are ignored."""

    id: Text
    source: Text
    type: Text
    subject: Text
    time: Zoned
    data: UsageData


class Voided(msgspec.Struct, forbid_unknown_fields=True):
    """Which event an event of the type `void` takes back; without a `source`, one of its own source."""

    id: Text
    source: Text | None = None


class _OpenEvent(msgspec.Struct):
    """The same envelope around a payload whose fields are still unread."""

    id: Text
    source: Text
    type: Text
    subject: Text
    time: Zoned
    data: dict[str, msgspec.Raw]


NUL_MESSAGE = "the character NUL can't be stored"
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_DECODER = msgspec.json.Decoder(UsageEvent)
_OPEN_DECODER = msgspec.json.Decoder(_OpenEvent)
_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD = re.compile(r"field `([^`]*)`")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def decode_line(line: bytes) -> UsageEvent:
    """Decode one NDJSON line.

    Raises:
        Refused: `malformed_json`, `missing_field`, `naive_time`, `invalid_field` or `line_too_long`.
    """
    if len(line) > LONGEST_LINE or b"\\u0000" in line:
        check_line(line)
    try:
        return _DECODER.decode(line)
    except _UNDECODABLE as error:
        if "unknown field" in str(error):
            return _with_properties(line)
        raise refusal_of(error) from error


def decode_lines(lines: list[bytes]) -> Sequence[UsageEvent | Refused]:
    """Decode NDJSON lines, none of them empty; in the place of one that breaks the contract stands its refusal.

    Lines that are one object each and all sound are decoded in one go, which costs a third.
    """
    together = b"".join(lines)
    if _is_one_object_each(together, len(lines)) and max(map(len, lines)) <= LONGEST_LINE:
        try:
            events = _DECODER.decode_lines(together)
        except _UNDECODABLE:
            events = []
        if len(events) == len(lines):
            return events
    return [_event_or_refusal(line) for line in lines]


def _is_one_object_each(lines: bytes, count: int) -> bool:
    """Tell whether each line begins with `{` and ends with `}`, so that no object can span two of them.

    Within JSON nothing can begin right behind a bracket that closes. A line with NUL in it is left to `check_line`.
    """
    return (
        lines.startswith(b"{")
        and lines.endswith((b"}\n", b"}"))
        and lines.count(b"}\n{") == count - 1
        and b"\\u0000" not in lines
    )


def _event_or_refusal(line: bytes) -> UsageEvent | Refused:
    try:
        return decode_line(line)
    except Refused as refused:
        return refused


def check_line(line: bytes) -> None:
    """Refuse a line that no decoder can judge: one that was cut off, or one with a character that no database keeps.

    Raises:
        Refused: `line_too_long` or `invalid_field`.
    """
    if len(line) > LONGEST_LINE:
        raise Refused("line_too_long", "the line is longer than 1 MiB")
    if b"\\u0000" in line and _NUL.search(line):
        raise Refused("invalid_field", NUL_MESSAGE)


def convert_event(fields: Mapping[str, Any]) -> UsageEvent:
    """Read an event from text fields, as a source mapping makes them ("166" is a number here).

    Raises:
        Refused: as `decode_line`.
    """
    data = fields.get("data", {})
    for name, value in {**fields, **data, **data.get("properties", {})}.items():
        if isinstance(value, str) and "\0" in value:
            raise Refused("invalid_field", f"{name}: {NUL_MESSAGE}", name)
    try:
        return msgspec.convert(fields, UsageEvent, strict=False)
    except msgspec.ValidationError as error:
        raise refusal_of(error) from error


def voided_by(event: UsageEvent) -> Voided:
    """What a void takes back, as its field `data.voids` says: {"id": "c-81", "source": "/phone"}, or just "c-81".

    Raises:
        Refused: `missing_field` or `invalid_field`.
    """
    named = (event.data.properties or {}).get("voids")
    if named is None:
        raise Refused("missing_field", "data.voids is missing; it names the event that is taken back", "data.voids")
    try:
        voided = msgspec.convert({"id": named} if isinstance(named, str) else named, Voided)
    except msgspec.ValidationError as error:
        raise Refused("invalid_field", f"data.voids names no event: {refusal_of(error)}", "data.voids") from error
    return Voided(voided.id, voided.source or event.source)


def _with_properties(line: bytes) -> UsageEvent:
    """Keep payload fields that the contract does not name, as free properties."""
    try:
        opened = _OPEN_DECODER.decode(line)
        unnamed = {name: opened.data.pop(name) for name in opened.data.keys() - set(UsageData.__struct_fields__)}
        event = _DECODER.decode(msgspec.json.encode(opened))
        free = {name: msgspec.json.decode(value) for name, value in unnamed.items()}
    except _UNDECODABLE as error:
        raise refusal_of(error) from error
    event.data.properties = {**(event.data.properties or {}), **free}
    return event


def refusal_of(error: Exception) -> Refused:
    """Say in one sentence what a decoder found: not JSON at all, or a field that is missing or wrong."""
    if not isinstance(error, msgspec.ValidationError):
        return Refused("malformed_json", f"the line is not one JSON object: {error}")
    match = _PATH.match(str(error))
    what, path = (match["what"], match["path"]) if match else (str(error), None)
    if path is None and "Expected `object`" in what:
        return Refused("malformed_json", "the line is JSON, but no object")
    if "missing required field" in what:
        name = _FIELD.search(what)
        field = ".".join(part for part in (path, name[1] if name else None) if part)
        return Refused("missing_field", f"{field} is missing", field)
    if "timezone" in what:
        return Refused("naive_time", f"{path} has no time zone; write it like 2026-10-01T09:30:00+02:00", path)
    if "unknown field" in what and (name := _FIELD.search(what)):
        field = ".".join(part for part in (path, name[1]) if part)
        return Refused("invalid_field", f"{field} is not a known field", field)
    return Refused("invalid_field", f"{path or 'the line'}: {what[:1].lower()}{what[1:].replace('`', '')}", path)
