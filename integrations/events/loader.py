"""Load one event file: all of it in one transaction, or nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from psycopg import Connection, sql
from psycopg.rows import dict_row

from integrations.events.contract import Refused, decode_line
from integrations.events.delimited import Outcome, mapped_lines
from integrations.events.directory_rows import read_directory
from integrations.events.ledger import (
    Arrival,
    LoadReport,
    Rejection,
    Status,
    already_loaded,
    close_load,
    open_load,
    quarantine,
    record_failure,
    report_of,
)
from integrations.events.mapping import Filtered, SourceMapping
from integrations.events.normalise import ROW_COLUMNS, Normaliser
from integrations.events.publish import publish
from integrations.events.readers import UnreadableFile, numbered_lines, open_decompressed

__all__ = ["HoldRule", "discard_load", "load_events", "release_load"]

BATCH = 20_000
Row = tuple[Any, ...]
Fate = Row | Refused | Filtered


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
        path: NDJSON of CloudEvents, or what `mapping` describes; plain, gzip or zstd.
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
    with open_decompressed(path) as file:
        fates = (
            _mapped_fates(mapped_lines(file, mapping, report.file_name), normaliser)
            if mapping
            else _ndjson_fates(file, normaliser)
        )
        for batch in _batches(fates):
            _store(connection, report, batch, filtered)
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
        connection.execute("analyze incoming")
        _publish(connection, report, sql.Identifier("incoming"))
    connection.execute("drop table incoming")


def _publish(connection: Connection, report: LoadReport, source: sql.Composable) -> None:
    published = publish(connection, source, report.load_id)
    report.inserted, report.duplicate = published.inserted, published.duplicate
    report.rejected += published.conflict
    report.usage_dates = published.usage_dates


def _ndjson_fates(file: BinaryIO, normaliser: Normaliser) -> Iterator[tuple[int, bytes, Fate]]:
    for number, line in numbered_lines(file):
        try:
            yield number, line, normaliser.row(decode_line(line))
        except Refused as refused:
            yield number, line, refused


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


def _batches(fates: Iterator[tuple[int, bytes, Fate]]) -> Iterator[list[tuple[int, bytes, Fate]]]:
    batch = []
    for fate in fates:
        batch.append(fate)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _store(
    connection: Connection, report: LoadReport, batch: list[tuple[int, bytes, Fate]], filtered: Counter[str]
) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, (*ROW_COLUMNS, "load_id", "line")))
    rejections = []
    with connection.cursor().copy(sql.SQL("copy incoming ({}) from stdin").format(columns)) as copy:
        for number, payload, fate in batch:
            if isinstance(fate, tuple):
                copy.write_row((*fate, report.load_id, number))
                report.inserted += 1
            elif isinstance(fate, Refused):
                rejections.append(Rejection(number, fate.reason, fate.field, str(fate), payload))
            else:
                filtered[fate.rule] += 1
    quarantine(connection, report.load_id, rejections)
    report.read += len(batch)
    report.rejected += len(rejections)
