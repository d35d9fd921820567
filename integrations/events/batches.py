"""What some lines of a file came to, ready to be stored. Light to import, since parsing processes do."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from typing import Any

from integrations.events.contract import Filtered, Refused, Rejection, decode_lines
from integrations.events.copy_format import as_csv
from integrations.events.normalise import Normaliser
from integrations.events.readers import Block, numbered_lines

__all__ = ["BATCH", "Batch", "BlockParser", "Fate", "fates_of"]

BATCH = 20_000  # lines
# More would no longer lie in the processor's cache when they are written, or looked at.
AT_ONCE = 500  # rows
DECODED_AT_ONCE = 64  # lines
Fate = tuple[Any, ...] | Refused | Filtered


@dataclass
class Batch:
    """The fates of some lines.

    Attributes:
        known: how many were accepted from another file of the same bytes.
        rows: the accepted lines as CSV for COPY: `ROW_COLUMNS`, load_id and line.
        accepted: how many these are.
    """

    read: int = 0
    known: int = 0
    accepted: int = 0
    rows: bytes = b""
    rejections: list[Rejection] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, fates: Iterable[tuple[int, bytes, Fate]], load_id: int) -> "Batch":
        """Sort lines, each with its number and payload, by what became of them."""
        batch, rows, written = cls(), [], []
        for number, payload, fate in fates:
            if isinstance(fate, tuple):
                rows.append((*fate, load_id, number))
                if len(rows) == AT_ONCE:
                    written.append(as_csv(rows))
                    rows.clear()
            elif isinstance(fate, Refused):
                batch.rejections.append(Rejection(number, fate.reason, fate.field, str(fate), payload))
            else:
                batch.filtered[fate.rule] += 1
        written.append(as_csv(rows))
        batch.accepted, batch.rows = AT_ONCE * (len(written) - 1) + len(rows), b"".join(written)
        batch.read = batch.accepted + len(batch.rejections) + batch.filtered.total()
        return batch


@dataclass(frozen=True)
class BlockParser:
    """Parses blocks of NDJSON lines; it can be sent to another process."""

    normaliser: Normaliser
    load_id: int

    def __call__(self, block: Block) -> Batch:
        """What the lines of a block came to."""
        first, lines = block
        return Batch.of(fates_of(numbered_lines(BytesIO(lines), first), self.normaliser), self.load_id)


def fates_of(lines: Iterable[tuple[int, bytes]], normaliser: Normaliser) -> Iterator[tuple[int, bytes, Fate]]:
    """What becomes of NDJSON lines, each with its number."""
    row, lines = normaliser.row, iter(lines)
    while group := list(islice(lines, DECODED_AT_ONCE)):
        decoded = decode_lines([line for _, line in group])
        for (number, line), event in zip(group, decoded, strict=True):
            try:
                if isinstance(event, Refused):
                    raise event
                yield number, line, row(event)
            except Refused as refused:
                yield number, line, refused
