"""Load one event file: all of it in one transaction, or nothing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg import Connection, sql
from psycopg.rows import dict_row

from integrations.events.batches import Batch
from integrations.events.copy_format import COPY_OPTIONS
from integrations.events.directory_rows import read_directory
from integrations.events.ledger import (
    Arrival,
    LoadReport,
    Status,
    already_loaded,
    close_load,
    open_load,
    quarantine,
    record_failure,
    report_of,
)
from integrations.events.mapping import SourceMapping
from integrations.events.normalise import ROW_COLUMNS, Normaliser
from integrations.events.parsing import event_batches
from integrations.events.publish import publish
from integrations.events.readers import UnreadableFile
from integrations.events.twins import find_twin, twin_batches

__all__ = ["HoldRule", "discard_load", "load_events", "release_load"]

COPY = sql.SQL("copy incoming ({columns}) from stdin ({options})").format(
    columns=sql.SQL(", ").join(map(sql.Identifier, (*ROW_COLUMNS, "load_id", "line"))), options=sql.SQL(COPY_OPTIONS)
)


@dataclass(frozen=True)
class HoldRule:
    """When a load waits for a person: too large a share of its lines was refused.

    A handful of bad lines never holds a file, however small it is.
    """

    share: float = 0.05
    at_least: int = 10

    def holds(self, report: LoadReport) -> bool:
        """Tell whether the load must wait."""
        considered = report.read - report.filtered
        return report.rejected >= self.at_least and report.rejected > self.share * considered


def load_events(
    connection: Connection,
    path: Path,
    now: datetime,
    mapping: SourceMapping | None = None,
    hold: HoldRule = HoldRule(),
    progress: Callable[[int], None] = lambda lines: None,
    name: str | None = None,
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
            report = open_load(connection, arrival, now)
            _load(connection, report, path, now, mapping, hold, progress)
            close_load(connection, report)
            return report
    except UnreadableFile as error:
        return record_failure(connection, arrival, now, str(error))


def release_load(connection: Connection, load_id: int) -> LoadReport:
    """Publish a held load after all.

    Raises:
        LookupError: when no such load waits.
    """
    with connection.transaction():
        report = _waiting(connection, load_id, ["held"])
        report.status, report.message = "published", None
        _publish(connection, report, sql.Identifier("raw", "held_events"))
        connection.execute("delete from raw.held_events where load_id = %s", [load_id])
        close_load(connection, report)
    return report


def discard_load(connection: Connection, load_id: int) -> LoadReport:
    """Refuse a held load for good: its events move into quarantine. Of one that could not be read, take note.

    Raises:
        LookupError: when no such load waits.
    """
    with connection.transaction():
        report = _waiting(connection, load_id, ["held", "failed"])
        connection.execute(
            """
            with gone as (delete from raw.held_events where load_id = %s returning *)
            insert into raw.rejected_events (load_id, line, reason, message, payload)
            select load_id, line, 'discarded', 'the load was discarded', (to_jsonb(gone) - 'content_hash')::text
            from gone
            """,
            [load_id],
        )
        report.status, report.rejected, report.inserted = "discarded", report.rejected + report.inserted, 0
        close_load(connection, report)
    return report


def _waiting(connection: Connection, load_id: int, statuses: list[Status]) -> LoadReport:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute("select * from raw.loads where load_id = %s and status = any(%s) for update", [load_id, statuses])
        .fetchone()
    )
    if row is None:
        raise LookupError(f"Load {load_id} does not wait; `usage-pricing loads list` shows those that do.")
    return report_of(row)


def _load(
    connection: Connection,
    report: LoadReport,
    path: Path,
    now: datetime,
    mapping: SourceMapping | None,
    hold: HoldRule,
    progress: Callable[[int], None],
) -> None:
    normaliser = Normaliser.at(read_directory(connection), now)
    connection.execute(
        """
        create temporary table incoming on commit drop as
        select held.* from raw.held_events as held limit 0
        """
    )
    filtered: Counter[str] = Counter()
    twin = None if mapping else find_twin(connection, report.load_id, path)
    batches = (
        twin_batches(path, twin, normaliser, report.load_id)
        if twin
        else event_batches(path, mapping, report.file_name, normaliser, report.load_id)
    )
    for batch in batches:
        _store(connection, report, batch)
        filtered += batch.filtered
        progress(report.read)
    report.filtered_by = dict(filtered)
    report.filtered = filtered.total()
    if hold.holds(report):
        report.status = "held"
        share = report.rejected / (report.read - report.filtered)
        report.message = (
            f"{report.rejected:,} of {report.read:,} lines ({share:.1%}) were refused; the load waits for its release"
        )
        connection.execute("insert into raw.held_events select * from incoming")
    else:
        connection.execute("analyze incoming (load_id, company_id, source, event_id, line)")
        _publish(connection, report, sql.Identifier("incoming"))
    connection.execute("drop table incoming")


def _publish(connection: Connection, report: LoadReport, source: sql.Composable) -> None:
    published = publish(connection, source, report.load_id)
    report.inserted = published.inserted
    report.duplicate += published.duplicate
    report.rejected += published.conflict
    report.usage_dates = published.usage_dates


def _store(connection: Connection, report: LoadReport, batch: Batch) -> None:
    if batch.rows:
        with connection.cursor().copy(COPY) as copy:
            copy.write(batch.rows)
    if batch.rejections:
        quarantine(connection, report.load_id, batch.rejections)
    report.read += batch.read
    report.inserted += batch.accepted
    report.duplicate += batch.known
    report.rejected += len(batch.rejections)
