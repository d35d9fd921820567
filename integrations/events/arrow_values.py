"""Columns of Arrow as the texts or the JSON values of their rows, exact and without a detour through float."""

import json
from typing import Any

import msgspec

__all__ = ["encode_row", "json_values", "texts"]

NOT_FINITE = {"nan", "inf", "-inf"}
NO_JSON = msgspec.Raw(b"\xff")  # no decoder accepts the row
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


def texts(column: Any) -> list[str | None]:
    """Each value as text: 166, 0.5, true, 2026-10-01, 2026-10-01 09:30:00.000000Z (an instant, always in UTC).

    The fraction of a second has as many digits as the column's unit. What is no UTF-8 has surrogates, what is nested
    is JSON.
    """
    import pyarrow as pa

    column = _plain(column)
    if pa.types.is_nested(column.type):
        raws = map(_nested, column)
        return [None if raw is None else bytes(raw).decode(errors="surrogateescape") for raw in raws]
    if pa.types.is_timestamp(column.type) and column.type.tz:
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    try:
        found: list[str | None] = column.cast(pa.large_string()).to_pylist()
    except (UnicodeDecodeError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        values = column.cast(pa.large_binary()).to_pylist()
        found = [None if value is None else value.decode("utf-8", "surrogateescape") for value in values]
    return found


def json_values(column: Any) -> list[Any]:
    """Each value as `encode_row` takes it: numbers keep their digits; a number that is none is its name, as text."""
    import pyarrow as pa

    column = _plain(column)
    kind = column.type
    if pa.types.is_nested(kind):
        return list(map(_nested, column))
    found = texts(column)
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    ):
        return [text if text is None or text in NOT_FINITE else msgspec.Raw(text.encode()) for text in found]
    return found


def encode_row(row: Any) -> bytes:
    """The JSON of a row. Text that is no UTF-8 stays the bytes that it was, which no reader of JSON accepts."""
    try:
        return _ENCODER.encode(row)
    except UnicodeEncodeError:
        return _ENCODER.encode(_with_bytes(row))


def _with_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_bytes(inner) for name, inner in value.items()}
    if isinstance(value, str):
        return msgspec.Raw(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape"))
    return value


def _plain(column: Any) -> Any:
    """The column without a dictionary or an extension type around its values."""
    import pyarrow as pa

    if isinstance(column, pa.DictionaryArray):
        return _plain(column.dictionary_decode())
    if isinstance(column, pa.ExtensionArray):
        if column.type.extension_name == "arrow.uuid":
            return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
        return _plain(column.storage)
    return column


def _nested(value: Any) -> msgspec.Raw | None:
    if not value.is_valid:
        return None
    try:
        return msgspec.Raw(_ENCODER.encode(value.as_py(maps_as_pydicts="strict")))
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
        return NO_JSON
