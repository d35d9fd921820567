"""From an event to the line that says it: the other side of `decode_line`, for those who write events."""

from datetime import UTC, datetime
from reprlib import repr as shortened
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from integrations.events.contract import Refused, UsageEvent, check_line, decode_line
from integrations.events.limits import EARLIEST, check_amounts, too_old

__all__ = ["encode_line"]

_ENCODER = msgspec.json.Encoder()


def encode_line(event: UsageEvent) -> bytes:
    """One NDJSON line with its end, which `decode_line` reads as this very event; its time is in UTC.

    It is read again before it is given out, so that the contract is written down once. Whether the company and the
    branch are known, and the currency is theirs, is not known here.

    Raises:
        Refused: naming the field, when there is no such line.
    """
    event = replace(event, time=_utc(event.time))
    try:
        line = _ENCODER.encode(event).replace(b"{", b'{"specversion":"1.0",', 1) + b"\n"
        read = decode_line(line)
        check_amounts(read.data)
        is_same = read == event
    except Refused as refused:
        raise refused if refused.field else _unwritable(event, refused) from refused
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise _unwritable(event, error) from error
    amounts: tuple[object, ...] = (event.data.quantity, event.data.revenue)
    if not is_same or any(isinstance(amount, float) for amount in amounts):
        raise _changed(event, read)
    return line


def _utc(time: Any) -> datetime:
    """The same instant in UTC, because an offset with seconds can't be written."""
    if not isinstance(time, datetime):
        raise Refused("invalid_field", f"time: expected datetime, got {type(time).__name__}", "time")
    if time.utcoffset() is None:
        raise Refused("naive_time", "time has no time zone; make it like datetime.now(UTC)", "time")
    if time < EARLIEST:
        raise too_old(time)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise Refused("invalid_field", f"time {time.isoformat()} lies outside the calendar", "time") from None


def _unwritable(event: UsageEvent, error: Exception) -> Refused:
    """Say which field it is that alone can't be written either; else it is all of them together."""
    for field, value in _fields(event).items():
        try:
            check_line(_ENCODER.encode(value))
        except (Refused, TypeError, UnicodeEncodeError, RecursionError) as found:
            return Refused("invalid_field", f"{field}: {found}", field)
    return Refused("invalid_field", f"data.properties: {error}", "data.properties")


def _changed(event: UsageEvent, read: UsageEvent) -> Refused:
    """Say which field would be read as something else than was given: NaN, a tuple, an amount that is no Decimal."""
    others = _fields(read)
    field, value = next(
        (field, value)
        for field, value in _fields(event).items()
        if value != others[field] or (isinstance(value, float) and field in ("data.quantity", "data.revenue"))
    )
    message = f"{field}: {shortened(value)} would be read as {shortened(others[field])}; give it as it is read"
    return Refused("invalid_field", message, field)


def _fields(event: UsageEvent) -> dict[str, Any]:
    """All values by the names under which refusals know them."""
    envelope, data = asdict(event), asdict(event.data)
    del envelope["data"]
    return {**envelope, **{f"data.{field}": value for field, value in data.items()}}
