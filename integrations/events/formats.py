"""The formats in which events come, told by how a file begins and not by its name."""

from collections.abc import Iterator
from pathlib import Path

from integrations.events.delimited import Outcome, mapped_lines
from integrations.events.json_array import array_elements
from integrations.events.mapping import SourceMapping
from integrations.events.parquet import PARQUET, mapped_rows, parquet_events
from integrations.events.readers import Block, blocks_of, line_blocks, open_decompressed, start_of

__all__ = ["event_blocks", "foreign_rows"]

ENOUGH = 1 << 10  # bytes


def event_blocks(path: Path, name: str) -> Iterator[Block]:
    """The events of a file, one a line, in blocks: of NDJSON, of a JSON array (a CloudEvents batch) or of Parquet.

    The number of an event is that of its line, its place in the array or its row, from 1 on.

    Raises:
        UnreadableFile: when the file as a whole is none of these.
    """
    start = _start(path)
    if start.startswith(PARQUET):
        yield from blocks_of(parquet_events(path, name))
        return
    with open_decompressed(path) as file:
        yield from blocks_of(array_elements(file, name)) if start.startswith(b"[") else line_blocks(file)


def foreign_rows(path: Path, mapping: SourceMapping, name: str) -> Iterator[tuple[int, bytes, Outcome]]:
    """The rows of a foreign table, delimited or Parquet, each with its number, its fields as JSON and its outcome.

    Raises:
        UnreadableFile: when the file can't be read, or lacks a column that the mapping reads.
    """
    if _start(path).startswith(PARQUET):
        yield from mapped_rows(path, mapping, name)
        return
    with open_decompressed(path) as file:
        yield from mapped_lines(file, mapping, name)


def _start(path: Path) -> bytes:
    with open_decompressed(path) as file:
        return start_of(file, ENOUGH)
