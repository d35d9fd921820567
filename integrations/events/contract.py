"""The event contract: CloudEvents 1.0 with a usage payload, and what is said about an event that breaks it."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

__all__ = ["Refused", "UsageData", "UsageEvent", "convert_event", "decode_line", "refusal_of"]

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Zoned = Annotated[datetime, msgspec.Meta(tz=True)]


class Refused(Exception):
    """An event that can't be counted: a reason code for machines, a sentence for people, and the field at fault."""

    def __init__(self, reason: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


class UsageData(msgspec.Struct, forbid_unknown_fields=True):
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


class _OpenEvent(msgspec.Struct):
    """The same envelope around a payload that has more fields than the contract knows."""

    id: Text
    source: Text
    type: Text
    subject: Text
    time: Zoned
    data: dict[str, Any]


_DECODER = msgspec.json.Decoder(UsageEvent)
_OPEN_DECODER = msgspec.json.Decoder(_OpenEvent)
_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD = re.compile(r"field `(\w+)`")


def decode_line(line: bytes) -> UsageEvent:
    """Decode one NDJSON line.

    Raises:
        Refused: `malformed_json`, `missing_field`, `naive_time` or `invalid_field`.
    """
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "unknown field" in str(error):
            return _with_properties(line)
        raise refusal_of(error) from error


def convert_event(fields: Mapping[str, Any]) -> UsageEvent:
    """Read an event from text fields, as a source mapping makes them ("166" is a number here).

    Raises:
        Refused: as `decode_line`.
    """
    try:
        return msgspec.convert(fields, UsageEvent, strict=False)
    except msgspec.ValidationError as error:
        raise refusal_of(error) from error


def _with_properties(line: bytes) -> UsageEvent:
    """Keep payload fields that the contract does not name, as free properties."""
    try:
        event = _OPEN_DECODER.decode(line)
        known = {name: event.data.pop(name) for name in UsageData.__struct_fields__ if name in event.data}
        known["properties"] = {**(known.get("properties") or {}), **event.data}
        data = msgspec.convert(known, UsageData)
    except msgspec.ValidationError as error:
        raise refusal_of(error) from error
    return UsageEvent(event.id, event.source, event.type, event.subject, event.time, data)


def refusal_of(error: Exception) -> Refused:
    """Say in one sentence what a decoder found: not JSON at all, or a field that is missing or wrong."""
    if not isinstance(error, msgspec.ValidationError):
        return Refused("malformed_json", f"the line is not one JSON object: {error}")
    match = _PATH.match(str(error))
    what, path = (match["what"], match["path"]) if match else (str(error), None)
    if "missing required field" in what:
        name = _FIELD.search(what)
        field = ".".join(part for part in (path, name[1] if name else None) if part)
        return Refused("missing_field", f"{field} is missing", field)
    if "timezone" in what:
        return Refused("naive_time", f"{path} has no time zone; write it like 2026-10-01T09:30:00+02:00", path)
    return Refused("invalid_field", f"{path or 'event'}: {what[:1].lower()}{what[1:].replace('`', '')}", path)
