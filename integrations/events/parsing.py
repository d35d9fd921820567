"""From the lines of a file to batches that are ready to be stored; a long file is parsed by several processes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain, islice
from typing import Any, BinaryIO

from integrations.events.contract import Refused, decode_line
from integrations.events.copy_format import as_csv
from integrations.events.ledger import Rejection
from integrations.events.mapping import Filtered, SourceMapping, mapped_lines
from integrations.events.normalise import Normaliser
from integrations.events.parser_pool import parser_pool, usable_processes
from integrations.events.readers import Block, line_blocks, numbered_lines

__all__ = ["Batch", "BlockParser", "mapped_batches", "ndjson_batches"]

BATCH = 20_000
SMALL = 4  # blocks: below, a file is parsed before another process would have started
Fate = tuple[Any, ...] | Refused | Filtered


@dataclass
class Batch:
    """What some lines came to.

    Attributes:
        rows: the accepted ones as CSV for COPY: `ROW_COLUMNS`, load_id and line.
        accepted: how many these are.
    """

    read: int = 0
    accepted: int = 0
    rows: bytes = b""
    rejections: list[Rejection] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, fates: Iterable[tuple[int, bytes, Fate]], load_id: int) -> "Batch":
        """Sort lines by what became of them."""
        batch, rows = cls(), []
        for number, payload, fate in fates:
            batch.read += 1
            if isinstance(fate, tuple):
                rows.append((*fate, load_id, number))
            elif isinstance(fate, Refused):
                batch.rejections.append(Rejection(number, fate.reason, fate.field, str(fate), payload))
            else:
                batch.filtered[fate.rule] += 1
        batch.accepted, batch.rows = len(rows), as_csv(rows)
        return batch


@dataclass(frozen=True)
class BlockParser:
    """Parses a block of NDJSON lines; it can be sent to another process."""

    normaliser: Normaliser
    load_id: int

    def __call__(self, block: Block) -> Batch:
        """What the lines of a block came to."""
        return Batch.of(self._fates(block), self.load_id)

    def _fates(self, block: Block) -> Iterator[tuple[int, bytes, Fate]]:
        first, lines = block
        for number, line in numbered_lines(BytesIO(lines), first):
            try:
                yield number, line, self.normaliser.row(decode_line(line))
            except Refused as refused:
                yield number, line, refused


def ndjson_batches(file: BinaryIO, normaliser: Normaliser, load_id: int) -> Iterator[Batch]:
    """The lines of an NDJSON file in batches, in their order; memory does not grow with the file."""
    parser, blocks = BlockParser(normaliser, load_id), line_blocks(file)
    head = list(islice(blocks, SMALL))
    processes = usable_processes() if len(head) == SMALL else 0
    if processes < 2:
        yield from map(parser, chain(head, blocks))
    else:
        with parser_pool(parser, processes) as parsed:
            yield from parsed(chain(head, blocks))


def mapped_batches(
    file: BinaryIO, mapping: SourceMapping, name: str, normaliser: Normaliser, load_id: int
) -> Iterator[Batch]:
    """The rows of a foreign table in batches, in their order.

    Raises:
        UnreadableFile: when the file lacks a column that the mapping reads.
    """
    fates = _mapped_fates(file, mapping, name, normaliser)
    while (batch := Batch.of(islice(fates, BATCH), load_id)).read:
        yield batch


def _mapped_fates(
    file: BinaryIO, mapping: SourceMapping, name: str, normaliser: Normaliser
) -> Iterator[tuple[int, bytes, Fate]]:
    for number, payload, outcome in mapped_lines(file, mapping, name):
        if isinstance(outcome, tuple):
            try:
                yield number, payload, normaliser.row(*outcome)
            except Refused as refused:
                yield number, payload, refused
        else:
            yield number, payload, outcome
