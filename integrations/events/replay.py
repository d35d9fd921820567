"""Judge refused lines again after the cause was mended: a company was added, a mapping corrected, a month restored."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from integrations.events.batches import BATCH, Batch, Fate
from integrations.events.contract import Filtered, Refused, Rejection, decode_line
from integrations.events.directory_rows import read_directory
from integrations.events.incoming import INCOMING, create_incoming, store
from integrations.events.ledger import Arrival, LoadReport, close_load, open_load
from integrations.events.mapping import SourceMapping
from integrations.events.normalise import Normaliser
from integrations.events.publish import PUBLISH_LOCK, Restore, publish

__all__ = ["MappingOf", "has_late_lines", "replay_load", "replayable_loads"]

# Of these a person has decided, or nothing could make them say anything else.
FINAL = ["discarded", "conflict", "line_too_long", "erased"]
TOO_LATE = "too_late"
MappingOf = Callable[[str], SourceMapping | None]


def replayable_loads(connection: Connection, with_late: bool = False) -> list[int]:
    """The published loads of events that have refused lines which may be judged otherwise today."""
    rows = connection.execute(
        """
        select load_id from raw.loads inner join raw.rejected_events as rejected using (load_id)
        where loads.feed = 'events' and loads.status = 'published'
            and rejected.replayed_by is null and rejected.reason <> all(%s)
        group by load_id order by load_id
        """,
        [FINAL if with_late else [*FINAL, TOO_LATE]],
    )
    return [load_id for (load_id,) in rows]


def has_late_lines(connection: Connection, load_id: int) -> bool:
    """Tell whether lines of a published load wait because the events of their month are archived."""
    row = connection.execute(
        """
        select exists (
            select from raw.loads inner join raw.rejected_events as rejected using (load_id)
            where load_id = %s and loads.feed = 'events' and loads.status = 'published'
                and rejected.replayed_by is null and rejected.reason = %s
        )
        """,
        [load_id, TOO_LATE],
    ).fetchone()
    return bool(row and row[0])


def replay_load(
    connection: Connection,
    load_id: int,
    now: datetime,
    mapping_of: MappingOf = lambda name: None,
    restore: Restore | None = None,
) -> LoadReport | None:
    """Judge the refused lines of a published load again, in one transaction.

    What is accepted now becomes a load of its own, received now; the refused line keeps its place and names that
    load. What is refused again stays, with today's reason. Doing it twice has the effect of once.

    Args:
        connection: without a transaction.
        load_id: the load whose lines were refused.
        now: the instant at which the accepted ones are received.
        mapping_of: the source mapping that belongs to a file's name today; else the one by which it was read.
        restore: brings archived months back; without it, what came too late is left alone.

    Returns:
        The report of the new load; None when nothing is accepted.

    Raises:
        LookupError: when there is no such published load of events.
    """
    with connection.transaction():
        original = _published(connection, load_id)
        mapping = original["mapping"] and (
            mapping_of(original["file_name"]) or SourceMapping.model_validate(original["mapping"])
        )
        report = open_load(connection, _arrival(connection, load_id, now), now, mapping)
        create_incoming(connection)
        connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])  # first, as whoever erases takes it
        _judge(connection, load_id, report, mapping, now)
        if restore:
            _take_late(connection, load_id, report)
        if not report.read:
            connection.execute("drop table incoming")
            connection.execute("delete from raw.loads where load_id = %s", [report.load_id])
            return None
        report.add(publish(connection, INCOMING, report.load_id, restore))
        connection.execute("drop table incoming")
        close_load(connection, report)
        return report


def _published(connection: Connection, load_id: int) -> dict[str, Any]:
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select * from raw.loads where load_id = %s and feed = 'events' and status = 'published' for update",
            [load_id],
        )
        .fetchone()
    )
    if row is None:
        raise LookupError(
            f"Load {load_id} is no published load of events; release a held one first. Of a reference feed, the refused"
            " lines are sent again in a file of another name."
        )
    return row


def _arrival(connection: Connection, load_id: int, now: datetime) -> Arrival:
    name = f"replay of load {load_id}"
    row = connection.execute("select count(*) + 1 from raw.loads where file_name = %s", [name]).fetchone()
    assert row is not None
    return Arrival("events", name, f"{name}, number {row[0]}", 0, now)


def _judge(
    connection: Connection, load_id: int, report: LoadReport, mapping: SourceMapping | None, now: datetime
) -> None:
    """Store the lines that are accepted or filtered today; give the others today's reason."""
    normaliser = Normaliser.at(read_directory(connection), now)
    last = 0
    while lines := _pending(connection, load_id, last):
        last = lines[-1][0]
        batch = Batch.of(_fates(lines, mapping, normaliser), report.load_id)
        refused, batch.rejections = batch.rejections, []
        batch.read -= len(refused)
        store(connection, report, batch)
        _explain(connection, load_id, refused)
        taken = {number for number, _ in lines} - {rejection.line for rejection in refused}
        _mark_replayed(connection, load_id, report.load_id, sorted(taken))


def _pending(connection: Connection, load_id: int, after: int) -> list[tuple[int, str]]:
    return connection.execute(
        """
        select line, payload from raw.rejected_events
        where load_id = %s and line > %s and replayed_by is null and reason <> all(%s) order by line limit %s
        """,
        [load_id, after, [*FINAL, TOO_LATE], BATCH],
    ).fetchall()


def _fates(
    lines: list[tuple[int, str]], mapping: SourceMapping | None, normaliser: Normaliser
) -> Iterator[tuple[int, bytes, Fate]]:
    for number, payload in lines:
        try:
            yield number, b"", _fate(payload, mapping, normaliser)
        except (Refused, Filtered) as outcome:
            yield number, b"", outcome


def _fate(payload: str, mapping: SourceMapping | None, normaliser: Normaliser) -> Fate:
    if mapping is None:
        return normaliser.row(decode_line(payload.encode()))
    try:
        fields = json.loads(payload)
    except ValueError as error:
        raise Refused("malformed_row", "the row can't be read") from error
    missing = sorted(mapping.columns() - set(fields if isinstance(fields, dict) else ()))
    if missing:
        raise Refused("malformed_row", f"the row lacks the columns that its mapping reads: {', '.join(missing)}")
    return normaliser.row(*mapping.event_of(fields))


def _explain(connection: Connection, load_id: int, rejections: list[Rejection]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "update raw.rejected_events set reason = %s, field = %s, message = %s where load_id = %s and line = %s",
            [(r.reason, r.field, r.message, load_id, r.line) for r in rejections],
        )


def _take_late(connection: Connection, load_id: int, report: LoadReport) -> None:
    """Store the rows that came too late; they were complete when they were refused."""
    late = connection.execute(
        "select line from raw.rejected_events where load_id = %s and reason = %s and replayed_by is null",
        [load_id, TOO_LATE],
    ).fetchall()
    connection.execute(
        """
        insert into incoming
        select (jsonb_populate_record(
            null::raw.held_events, payload::jsonb || jsonb_build_object('load_id', %s::bigint)
        )).*
        from raw.rejected_events where load_id = %s and reason = %s and replayed_by is null
        """,
        [report.load_id, load_id, TOO_LATE],
    )
    report.read += len(late)
    _mark_replayed(connection, load_id, report.load_id, [line for (line,) in late])


def _mark_replayed(connection: Connection, load_id: int, replayed_by: int, lines: list[int]) -> None:
    connection.execute(
        "update raw.rejected_events set replayed_by = %s where load_id = %s and line = any(%s)",
        [replayed_by, load_id, lines],
    )
