"""Read a foreign table row by row through its mapping; a row that can't be read spoils no other."""

import csv
import io
import json
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, TextIO

from integrations.events.contract import Refused, UsageEvent
from integrations.events.mapping import Filtered, SourceMapping
from integrations.events.readers import UnreadableFile

__all__ = ["Outcome", "mapped_lines", "row_outcome"]

Outcome = tuple[UsageEvent, bool] | Refused | Filtered


def mapped_lines(file: BinaryIO, mapping: SourceMapping, name: str) -> Iterator[tuple[int, bytes, Outcome]]:
    """Each row of a delimited file with its (first) line number, its fields as JSON, and what became of it.

    A quoted field may hold line breaks. Of a quote that is never closed only its own line is lost: what follows is
    read anew.

    Raises:
        UnreadableFile: when the file lacks a column that the mapping reads.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        yield from _rows(text, mapping, name)
    finally:
        with suppress(ValueError):  # the file was closed before
            text.detach()


def _rows(text: TextIO, mapping: SourceMapping, name: str) -> Iterator[tuple[int, bytes, Outcome]]:
    header = _header(text, mapping, name)
    lines = _Lines(text)
    number = 2
    while (row := _next_row(lines, mapping.delimiter, len(header))) is not None:
        if isinstance(row, Refused):
            yield number, lines.taken[0].encode("utf-8", "surrogateescape"), row
        elif row:
            fields = dict(zip(header, row, strict=True))
            yield number, json.dumps(fields).encode(), row_outcome(mapping, fields)
        number += len(lines.taken)
        lines.taken.clear()


class _Lines:
    """The lines of a text; those that a bad row has swallowed can be given back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._returned: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        self.taken.append(self._returned.popleft() if self._returned else next(self._text))
        return self.taken[-1]

    def give_back_all_but_first(self) -> None:
        """Offer them again, as if they had not been read."""
        self._returned.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def _header(text: TextIO, mapping: SourceMapping, name: str) -> list[str]:
    try:
        header = next(csv.reader([next(text, "")], delimiter=mapping.delimiter, strict=True), [])
    except csv.Error as error:
        raise UnreadableFile(f"{name} has a first line that can't be read: {error}") from error
    missing = sorted(mapping.columns() - set(header))
    if missing:
        raise UnreadableFile(f"{name} lacks the columns that its mapping reads: {', '.join(missing)}")
    twice = sorted(column for column in mapping.columns() if header.count(column) > 1)
    if twice:
        raise UnreadableFile(f"{name} has more than one column of the name {', '.join(twice)}")
    return header


def _next_row(lines: _Lines, delimiter: str, columns: int) -> list[str] | Refused | None:
    """The next row, empty for an empty line; None at the end."""
    try:
        row = next(csv.reader(lines, delimiter=delimiter, strict=True))
    except StopIteration:
        return None
    except csv.Error as error:
        lines.give_back_all_but_first()
        return Refused("malformed_row", f"the row can't be read: {error}")
    if row and len(row) != columns:
        lines.give_back_all_but_first()
        return Refused("malformed_row", f"the row has {len(row)} fields, but the header {columns}")
    return row


def row_outcome(mapping: SourceMapping, fields: dict[str, str]) -> Outcome:
    """What becomes of a row with these fields; text that is no UTF-8 has surrogates."""
    if not all(map(_is_text, fields.values())):
        return Refused("malformed_row", "the row is not UTF-8")
    try:
        return mapping.event_of(fields)
    except (Refused, Filtered) as outcome:
        return outcome


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
