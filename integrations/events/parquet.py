"""Read Parquet, a few thousand rows at a time and only the columns that are needed.

Without a source mapping the columns `id`, `source`, `type`, `subject` and `time` are the attributes of a CloudEvent.
Its payload is the column `data`, a struct or JSON text; in a file without one, every other column is a field of it.
A null means that the field is absent.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import msgspec

from integrations.events.arrow_values import encode_row, json_values, texts
from integrations.events.delimited import Outcome, row_outcome
from integrations.events.mapping import SourceMapping
from integrations.events.readers import UnreadableFile

__all__ = ["PARQUET", "mapped_rows", "parquet_events"]

PARQUET = b"PAR1"
ROWS = 2_000
ATTRIBUTES = ("id", "source", "type", "subject", "time")
NO_PAYLOAD = {*ATTRIBUTES, "specversion", "datacontenttype", "dataschema"}


def parquet_events(path: Path, name: str) -> Iterator[bytes]:
    """Each row as one CloudEvent in JSON, to be judged as any line is.

    Args:
        path: of the file.
        name: of the file, for errors.

    Raises:
        UnreadableFile: when it is no complete Parquet file, lacks an attribute or has a column twice.
    """
    import pyarrow as pa

    with _opened(path, name) as file:
        schema = file.schema_arrow
        _check_columns(schema.names, ATTRIBUTES, name, f"a CloudEvent has ({', '.join(ATTRIBUTES)}), and no mapping")
        read = ["data"] if "data" in schema.names else [column for column in schema.names if column not in NO_PAYLOAD]
        if "data" in schema.names and not (pa.types.is_struct(kind := schema.field("data").type) or _is_text(kind)):
            raise UnreadableFile(f"{name} has a column data that is neither a struct nor JSON text, but {kind}")
        for batch in file.iter_batches(ROWS, columns=[*ATTRIBUTES, *read], use_threads=False):
            payloads = _payloads(batch["data"]) if "data" in read else _rows({c: batch[c] for c in read}, len(batch))
            attributes = _rows({column: batch[column] for column in ATTRIBUTES}, len(batch))
            for event, payload in zip(attributes, payloads, strict=True):
                yield encode_row(event if payload is None else {**event, "data": payload})


def mapped_rows(path: Path, mapping: SourceMapping, name: str) -> Iterator[tuple[int, bytes, Outcome]]:
    """Each row of a foreign table with its number from 1, its fields as JSON, and what became of it.

    The fields are the columns that the mapping reads, as text; a null is an empty one.

    Raises:
        UnreadableFile: when it is no complete Parquet file, or lacks a column that the mapping reads.
    """
    columns, number = sorted(mapping.columns()), 0
    with _opened(path, name) as file:
        _check_columns(file.schema_arrow.names, columns, name, "its mapping reads")
        for batch in file.iter_batches(ROWS, columns=columns, use_threads=False):
            values = [texts(_in_microseconds(batch[column])) for column in columns]
            for row in zip(*values, strict=True):
                number += 1
                fields = {column: value or "" for column, value in zip(columns, row, strict=True)}
                yield number, json.dumps(fields).encode(), row_outcome(mapping, fields)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        first_line = str(error).partition("\n")[0]
        raise UnreadableFile(f"{name} is no complete Parquet file: {first_line}") from error


def _check_columns(found: list[str], needed: tuple[str, ...] | list[str], name: str, whose: str) -> None:
    if missing := sorted(set(needed) - set(found)):
        raise UnreadableFile(f"{name} lacks the columns that {whose}: {', '.join(missing)}")
    if twice := sorted(column for column, count in Counter(found).items() if count > 1):
        raise UnreadableFile(f"{name} has more than one column of the name {', '.join(twice)}")


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(check(kind) for check in checks)


def _payloads(column: Any) -> Iterator[Any]:
    """The payload of each row; None where there is none."""
    import pyarrow as pa

    if not pa.types.is_struct(column.type):
        return map(_as_json, texts(column))
    fields = {field.name: values for field, values in zip(column.type, column.flatten(), strict=True)}
    rows = zip(column.is_valid().to_pylist(), _rows(fields, len(column)), strict=True)
    return (row if is_valid else None for is_valid, row in rows)


def _as_json(text: str | None) -> Any:
    """A text that is one JSON value, as this value; any other as it is, which no payload can be."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text


def _rows(columns: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """The values of each row by column; a null is left out."""
    values = [json_values(column) for column in columns.values()]
    for row in zip(*values, strict=True) if values else repeat((), count):
        yield {name: value for name, value in zip(columns, row, strict=True) if value is not None}


def _in_microseconds(column: Any) -> Any:
    """The column; of a time in nanoseconds only what a format can name."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        return column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return column
