"""Load one event file: all of it in one transaction, or nothing."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from psycopg import Connection

from integrations.events.batches import Batch
from integrations.events.directory_rows import ReadDirectory, read_directory
from integrations.events.holding import DEFAULT_RULE, HoldRule
from integrations.events.incoming import INCOMING, create_incoming, store
from integrations.events.ledger import (
    Arrival,
    LoadReport,
    already_loaded,
    close_load,
    open_load,
    record_failure,
)
from integrations.events.mapping import SourceMapping
from integrations.events.normalise import Normaliser
from integrations.events.parsing import event_batches
from integrations.events.publish import Publication, Restore
from integrations.events.readers import UnreadableFile
from integrations.events.twins import find_twin, twin_batches

__all__ = ["load_events"]

PART = 250_000  # rows; fewer would fill the index of the keys in too many rounds


def load_events(
    connection: Connection,
    path: Path,
    now: datetime,
    mapping: SourceMapping | None = None,
    hold: HoldRule = DEFAULT_RULE,
    progress: Callable[[int], None] = lambda lines: None,
    name: str | None = None,
    restore: Restore | None = None,
    directory: ReadDirectory = read_directory,
) -> LoadReport:
    """Load one file of events, once.

    Args:
        connection: open connection without a transaction; the load is one transaction of its own.
        path: CloudEvents in any format that `formats` knows, or what `mapping` describes.
        now: the instant at which the file is received.
        mapping: how a foreign table becomes events.
        hold: when the load waits for a person instead of being published.
        progress: called with the number of lines read so far.
        name: by which the book of loads knows the file; its own name unless given.
        restore: brings archived usage dates back when the file has events of theirs, which are refused otherwise.
        directory: reads who is known; one that remembers spares a run of many small files most of its time.

    Returns:
        The report; of the earlier load when this very file was loaded before. A file of which nothing could be
        taken is reported (and remembered) as `failed` with its sentence.
    """
    arrival = Arrival.of("events", path, name, now)
    if arrival.problem:
        return record_failure(connection, arrival, now, arrival.problem)
    try:
        for part in (PART, None):
            with suppress(_MustWait), connection.transaction():
                if known := already_loaded(connection, arrival):
                    return known
                report = open_load(connection, arrival, now, mapping)
                normaliser = Normaliser.at(directory(connection), now)
                create_incoming(connection)
                publication = Publication(connection, INCOMING, report.load_id, restore)
                batches = _batches(connection, report, path, mapping, normaliser)
                _take(connection, report, _watched(batches, progress), hold, publication, part)
                close_load(connection, report)
                return report
    except UnreadableFile as error:
        return record_failure(connection, arrival, now, str(error))
    raise AssertionError("a load that publishes nothing before its end can't come too late to wait")


class _MustWait(Exception):
    """A load turned out to be one that waits after parts of it were published; it begins again without that."""


def _batches(
    connection: Connection, report: LoadReport, path: Path, mapping: SourceMapping | None, normaliser: Normaliser
) -> Iterator[Batch]:
    if mapping is None and (twin := find_twin(connection, report.load_id, path)):
        return twin_batches(path, twin, normaliser, report.load_id)
    return event_batches(path, mapping, report.file_name, normaliser, report.load_id)


def _watched(batches: Iterable[Batch], progress: Callable[[int], None]) -> Iterator[Batch]:
    read = 0
    for batch in batches:
        yield batch
        read += batch.read
        progress(read)


def _take(
    connection: Connection,
    report: LoadReport,
    batches: Iterable[Batch],
    hold: HoldRule,
    publication: Publication,
    part: int | None,
) -> None:
    """Store, judge and publish; once `part` rows wait, they are published while others are still parsed."""
    waiting, is_publishing = 0, False
    for batch in batches:
        store(connection, report, batch)
        waiting += batch.accepted
        if part and waiting >= part and not hold.holds(report) and publication.may_begin():
            _publish_part(connection, publication)
            waiting, is_publishing = 0, True
    hold.judge(report)
    if report.status == "held":
        if is_publishing:
            raise _MustWait
        connection.execute("insert into raw.held_events select * from incoming")
    else:
        _publish_part(connection, publication)
        report.add(publication.finish())
    connection.execute("drop table incoming")


def _publish_part(connection: Connection, publication: Publication) -> None:
    connection.execute("analyze incoming (load_id, company_id, event_key, line)")
    publication.add()
    connection.execute("truncate incoming")
