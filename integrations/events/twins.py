"""A file whose very bytes were published before, under another name: only what was refused then is read again."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from integrations.events.batches import BATCH, Batch, fates_of
from integrations.events.contract import Refused, decode_line
from integrations.events.normalise import Normaliser
from integrations.events.publish import PUBLISH_LOCK
from integrations.events.readers import numbered_lines, open_decompressed

__all__ = ["Twin", "find_twin", "twin_batches"]


@dataclass(frozen=True)
class Twin:
    """An earlier load of the same bytes: how many lines were accepted or known then, and which were refused."""

    accepted: int
    refused: frozenset[int]


def find_twin(connection: Connection, load_id: int, path: Path) -> Twin | None:
    """The earlier load of the bytes that the load `load_id` is about to read from `path`.

    An event that was accepted counts once, for ever, so that its line can't be anything but a duplicate now; unless
    the events of a time frame were replaced since. Only NDJSON has twins: what other bytes mean may have been another
    thing then, or under another mapping.
    """
    if _find(connection, load_id) is None or not _begins_with_an_event(path):
        return None
    connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])  # until it is published nothing is replaced
    row = _find(connection, load_id)
    if row is None:
        return None
    lines = connection.execute("select line from raw.rejected_events where load_id = %s", [row["load_id"]])
    refused = frozenset(line for (line,) in lines)
    return Twin(row["count_read"] - len(refused), refused)


def _find(connection: Connection, load_id: int) -> dict[str, Any] | None:
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            select twin.* from raw.loads as twin
            inner join raw.loads as this on twin.feed = this.feed and twin.fingerprint = this.fingerprint
            where this.load_id = %s and twin.load_id <> this.load_id
                and twin.status = 'published' and twin.count_filtered = 0 and twin.mapping is null
                and not exists (select from raw.replaced_events where replaced_by >= twin.load_id)
            order by twin.load_id limit 1
            """,
            [load_id],
        )
        .fetchone()
    )


def twin_batches(path: Path, twin: Twin, normaliser: Normaliser, load_id: int) -> Iterator[Batch]:
    """One batch for all lines that are known, and the others as they are judged today."""
    yield Batch(read=twin.accepted, known=twin.accepted)
    if not twin.refused:
        return
    with open_decompressed(path) as file:
        again = (entry for entry in numbered_lines(file) if entry[0] in twin.refused)
        fates = fates_of(again, normaliser)
        while (batch := Batch.of(islice(fates, BATCH), load_id)).read:
            yield batch


def _begins_with_an_event(path: Path) -> bool:
    """Tell whether its first line is an event, which no array, Parquet file or foreign table can begin with."""
    with open_decompressed(path) as file:
        for _, line in numbered_lines(file):
            try:
                decode_line(line)
            except Refused:
                return False
            return True
    return False
