"""From a file to batches that are ready to be stored; a long file is parsed by several processes."""

from collections.abc import Iterator
from io import BytesIO
from itertools import chain, islice
from pathlib import Path

from integrations.events.batches import BATCH, Batch, BlockParser, Fate, fates_of
from integrations.events.contract import Refused
from integrations.events.delimited import Outcome
from integrations.events.formats import event_blocks, foreign_rows
from integrations.events.mapping import SourceMapping
from integrations.events.normalise import Normaliser
from integrations.events.parser_pool import parser_pool, usable_processes
from integrations.events.readers import Block, numbered_lines

__all__ = ["event_batches", "event_fates"]

SMALL = 4  # blocks: below, a file is parsed before another process would have started


def event_batches(
    path: Path, mapping: SourceMapping | None, name: str, normaliser: Normaliser, load_id: int
) -> Iterator[Batch]:
    """The events of a file in batches, in their order; memory does not grow with the file.

    Args:
        path: of a file of events in any format of `formats`, or of what `mapping` describes.
        mapping: how a foreign table becomes events.
        name: of the file, for errors.
        normaliser: judges the events and makes them rows.
        load_id: for the rows.

    Raises:
        UnreadableFile: here or on the way, when nothing of the file can be taken.
    """
    if mapping is None:
        yield from _parsed(event_blocks(path, name), BlockParser(normaliser, load_id))
        return
    fates = event_fates(path, mapping, name, normaliser)
    while (batch := Batch.of(islice(fates, BATCH), load_id)).read:
        yield batch


def event_fates(
    path: Path, mapping: SourceMapping | None, name: str, normaliser: Normaliser
) -> Iterator[tuple[int, bytes, Fate]]:
    """What becomes of each event of a file, with its number and what it said; parsed one by one, as far as is asked.

    Raises:
        UnreadableFile: here or on the way, when nothing of the file can be taken.
    """
    if mapping is None:
        for first, lines in event_blocks(path, name):
            yield from fates_of(numbered_lines(BytesIO(lines), first), normaliser)
    else:
        for number, payload, outcome in foreign_rows(path, mapping, name):
            yield number, payload, _fate(outcome, normaliser)


def _parsed(blocks: Iterator[Block], parse: BlockParser) -> Iterator[Batch]:
    head = list(islice(blocks, SMALL))
    processes = usable_processes() if len(head) == SMALL else 0
    if processes < 2:
        yield from map(parse, chain(head, blocks))
    else:
        with parser_pool(parse, processes) as parsed:
            yield from parsed(chain(head, blocks))


def _fate(outcome: Outcome, normaliser: Normaliser) -> Fate:
    if not isinstance(outcome, tuple):
        return outcome
    try:
        return normaliser.row(*outcome)
    except Refused as refused:
        return refused
