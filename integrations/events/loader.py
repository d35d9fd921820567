"""Load one event file: all of it in one transaction, or nothing."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from psycopg import Connection

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
from integrations.events.publish import Restore, publish
from integrations.events.readers import UnreadableFile
from integrations.events.twins import find_twin, twin_batches

__all__ = ["load_events"]


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
        with connection.transaction():
            if known := already_loaded(connection, arrival):
                return known
            report = open_load(connection, arrival, now, mapping)
            _load(connection, report, path, now, mapping, hold, progress, restore, directory)
            close_load(connection, report)
            return report
    except UnreadableFile as error:
        return record_failure(connection, arrival, now, str(error))


def _load(
    connection: Connection,
    report: LoadReport,
    path: Path,
    now: datetime,
    mapping: SourceMapping | None,
    hold: HoldRule,
    progress: Callable[[int], None],
    restore: Restore | None,
    directory: ReadDirectory,
) -> None:
    normaliser = Normaliser.at(directory(connection), now)
    create_incoming(connection)
    twin = None if mapping else find_twin(connection, report.load_id, path)
    batches = (
        twin_batches(path, twin, normaliser, report.load_id)
        if twin
        else event_batches(path, mapping, report.file_name, normaliser, report.load_id)
    )
    for batch in batches:
        store(connection, report, batch)
        progress(report.read)
    hold.judge(report)
    if report.status == "held":
        connection.execute("insert into raw.held_events select * from incoming")
    else:
        connection.execute("analyze incoming (load_id, company_id, event_key, line)")
        report.add(publish(connection, INCOMING, report.load_id, restore))
    connection.execute("drop table incoming")
