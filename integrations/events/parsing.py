"""From a file to batches that are ready to be stored; a long file is parsed by several processes."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from integrations.events.batches import BATCH, Batch, BlockParser, Fate, fates_of
from integrations.events.contract import Refused
from integrations.events.delimited import Outcome, mapped_lines
from integrations.events.mapping import SourceMapping
from integrations.events.normalise import Normaliser
from integrations.events.parser_pool import parser_pool, usable_processes
from integrations.events.readers import line_blocks, numbered_lines, open_decompressed

__all__ = ["event_fates", "mapped_batches", "ndjson_batches"]

SMALL = 4  # blocks: below, a file is parsed before another process would have started


def ndjson_batches(file: BinaryIO, normaliser: Normaliser, load_id: int) -> Iterator[Batch]:
    """The lines of an NDJSON file in batches, in their order; memory does not grow with the file."""
    parse, blocks = BlockParser(normaliser, load_id), line_blocks(file)
    head = list(islice(blocks, SMALL))
    processes = usable_processes() if len(head) == SMALL else 0
    if processes < 2:
        yield from map(parse, chain(head, blocks))
    else:
        with parser_pool(parse, processes) as parsed:
            yield from parsed(chain(head, blocks))


def mapped_batches(
    file: BinaryIO, mapping: SourceMapping, name: str, normaliser: Normaliser, load_id: int
) -> Iterator[Batch]:
    """The rows of a foreign table in batches, in their order.

    Raises:
        UnreadableFile: when the file lacks a column that the mapping reads.
    """
    fates = _mapped_fates(mapped_lines(file, mapping, name), normaliser)
    while (batch := Batch.of(islice(fates, BATCH), load_id)).read:
        yield batch


def event_fates(
    path: Path, mapping: SourceMapping | None, name: str, normaliser: Normaliser
) -> Iterator[tuple[int, bytes, Fate]]:
    """What becomes of each line of a file, with its number and payload: NDJSON, or what `mapping` describes.

    Raises:
        UnreadableFile: when it can't be read, or lacks a column that the mapping reads.
    """
    with open_decompressed(path) as file:
        if mapping:
            yield from _mapped_fates(mapped_lines(file, mapping, name), normaliser)
        else:
            yield from fates_of(numbered_lines(file), normaliser)


def _mapped_fates(
    lines: Iterator[tuple[int, bytes, Outcome]], normaliser: Normaliser
) -> Iterator[tuple[int, bytes, Fate]]:
    for number, payload, outcome in lines:
        if isinstance(outcome, tuple):
            try:
                yield number, payload, normaliser.row(*outcome)
            except Refused as refused:
                yield number, payload, refused
        else:
            yield number, payload, outcome
