"""Replace all events of a company in a time frame by those of a file, in one transaction."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import Connection, Rollback

from integrations.events.directory_rows import read_directory
from integrations.events.incoming import INCOMING, create_incoming, store
from integrations.events.ledger import Arrival, LoadReport, close_load, open_load
from integrations.events.mapping import SourceMapping
from integrations.events.normalise import Normaliser
from integrations.events.parsing import event_batches
from integrations.events.publish import PUBLISH_LOCK, Publication
from integrations.events.readers import UnreadableFile
from integrations.postgres.usage_partitions import archived_months, month_of

__all__ = ["Frame", "FrameRefused", "replace_frame"]

REFUSALS_SHOWN = 5
# Usage dates lie within a day of UTC; they say which partitions to read.
TAKE_OUT = """
    with gone as (
        delete from raw.usage_events
        where company_id = %(company_id)s and occurred_at >= %(begin)s and occurred_at < %(end)s
            and usage_date between %(first)s and %(last)s
        returning *
    )
    insert into raw.replaced_events select gone.*, %(load_id)s from gone
"""
KEYS_OF_REPLACED = """
    create temporary table replaced on commit drop as
    select company_id, raw.event_key(source, event_id) as event_key, usage_date
    from raw.replaced_events where replaced_by = %s
"""
FORGET_KEYS = """
    delete from raw.event_keys as keys using replaced
    where keys.company_id = replaced.company_id and keys.event_key = replaced.event_key
"""
# A void that was taken out voids nothing any more; one that stays waits for the new version of its event.
TAKE_BACK_VOIDS = """
    delete from raw.voids using replaced
    where voids.company_id = replaced.company_id and voids.voided_by = replaced.event_key
    returning voids.usage_date
"""
LET_VOIDS_WAIT = """
    update raw.voids set usage_date = null from replaced
    where voids.company_id = replaced.company_id and voids.event_key = replaced.event_key
"""
OUTSIDE = """
    select count(*), min(line) from incoming
    where company_id <> %(company_id)s or occurred_at < %(begin)s or occurred_at >= %(end)s
"""
STANDS = """
    with current as (
        select keys.event_key, keys.content_hash
        from raw.usage_events as events
        inner join raw.event_keys as keys
            on keys.company_id = events.company_id and keys.event_key = raw.event_key(events.source, events.event_id)
        where events.company_id = %(company_id)s and events.occurred_at >= %(begin)s and events.occurred_at < %(end)s
            and events.usage_date between %(first)s and %(last)s
    )
    select not exists (select event_key, content_hash from incoming except select event_key, content_hash from current)
        and not exists (select event_key, content_hash from current except select event_key, content_hash from incoming)
"""
# Whatever the company's zone was: a date of which it has events, in the database or in the archive.
DATES_OF_COMPANY = """
    select distinct usage_date from raw.event_keys
    where company_id = %(company_id)s and usage_date between %(first)s and %(last)s
"""


class FrameRefused(ValueError):
    """A file that can't stand for a whole time frame; nothing was changed."""


@dataclass(frozen=True)
class Frame:
    """All time of a company in the half-open range from `begin` to `end`."""

    company: str
    begin: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.begin.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("A time frame needs time zones, as in 2026-10-01T00:00:00+02:00.")
        if not self.begin < self.end:
            raise ValueError(f"The time frame ends ({self.end.isoformat()}) before it begins.")

    def __str__(self) -> str:
        return f"{self.company} from {self.begin.isoformat()} to {self.end.isoformat()}"

    @property
    def dates(self) -> tuple[date, date]:
        """The first and the last usage date that it can touch in any zone."""
        day = timedelta(days=1)
        return self.begin.astimezone(UTC).date() - day, self.end.astimezone(UTC).date() + day


def replace_frame(
    connection: Connection, frame: Frame, path: Path, now: datetime, mapping: SourceMapping | None = None
) -> LoadReport:
    """Let the events of a file take the place of all that the company has in the frame, keys and all.

    The events that go are kept in `raw.replaced_events`. Every event of the file must be fit to count, and lie in the
    frame: half a truth is none. Doing it twice with the same file has the effect of once.

    Returns:
        The report of the new load; its usage dates are those whose events may have changed.

    Raises:
        FrameRefused: when the file can't be read or holds anything that can't count; nothing was changed.
    """
    try:
        with connection.transaction():
            report = open_load(connection, _arrival(connection, frame, path, now), now, mapping)
            report.is_new = _replace(connection, frame, path, now, mapping, report)
            if not report.is_new:
                raise Rollback
            close_load(connection, report)
    except UnreadableFile as error:
        raise FrameRefused(str(error)) from error
    return report


def _arrival(connection: Connection, frame: Frame, path: Path, now: datetime) -> Arrival:
    """The file as the book of loads knows it; the same one may stand for its frame again after another one did."""
    arrival = Arrival.of("events", path, f"{path.name} as all of {frame}", now)
    if arrival.problem:
        raise FrameRefused(arrival.problem)
    row = connection.execute("select count(*) from raw.loads where file_name = %s", [arrival.name]).fetchone()
    assert row is not None
    return replace(arrival, fingerprint=f"{arrival.fingerprint} ({row[0] + 1})")


def _replace(
    connection: Connection,
    frame: Frame,
    path: Path,
    now: datetime,
    mapping: SourceMapping | None,
    report: LoadReport,
) -> bool:
    """Replace the frame; tells whether that changes anything."""
    create_incoming(connection)
    normaliser = Normaliser.at(read_directory(connection), now)
    for batch in event_batches(path, mapping, path.name, normaliser, report.load_id):
        store(connection, report, batch)
    connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
    where = _where(connection, frame, report)
    _require_whole(connection, report, where)
    if connection.execute(STANDS, where).fetchone() == (True,):
        return False
    archived = archived_months(connection)
    kept = {month_of(day) for (day,) in connection.execute(DATES_OF_COMPANY, where)}
    touched = _take_out(connection, where)
    if closed := archived & (kept | set(map(month_of, touched))):
        raise FrameRefused(f"Events of {min(closed):%Y-%m} are archived; bring them back with `usage-pricing restore`.")
    publication = Publication(connection, INCOMING, report.load_id)
    publication.add()
    report.add(publication.finish(touched))
    if report.rejected:
        raise FrameRefused(f"{report.file_name} is refused: {_refusals(connection, report)}")
    connection.execute("drop table incoming")
    report.message = f"it replaced {_count_replaced(connection, report):,} events of {frame}"
    return True


def _where(connection: Connection, frame: Frame, report: LoadReport) -> dict[str, Any]:
    row = connection.execute(
        "select company_id from raw.company_ids where company_key = %s", [frame.company]
    ).fetchone()
    if row is None:
        raise FrameRefused(f"No company {frame.company!r} is known.")
    first, last = frame.dates
    return {
        "company_id": row[0],
        "load_id": report.load_id,
        "begin": frame.begin,
        "end": frame.end,
        "first": first,
        "last": last,
    }


def _require_whole(connection: Connection, report: LoadReport, where: dict[str, Any]) -> None:
    if report.rejected:
        raise FrameRefused(f"{report.file_name} is refused: {_refusals(connection, report)}")
    row = connection.execute(OUTSIDE, where).fetchone()
    if row and row[0]:
        raise FrameRefused(f"{report.file_name}: {row[0]:,} of its events lie outside, the first in line {row[1]}.")


def _refusals(connection: Connection, report: LoadReport) -> str:
    rows = connection.execute(
        "select line, message from raw.rejected_events where load_id = %s order by line limit %s",
        [report.load_id, REFUSALS_SHOWN],
    ).fetchall()
    shown = "; ".join(f"line {line}: {message}" for line, message in rows)
    return f"{report.rejected:,} of its lines can't count. {shown}"


def _take_out(connection: Connection, where: dict[str, Any]) -> set[date]:
    """Take the frame's events out, with their keys and what they voided; the usage dates that change by it."""
    connection.execute(TAKE_OUT, where)
    connection.execute(KEYS_OF_REPLACED, [where["load_id"]])
    touched = {day for (day,) in connection.execute("select distinct usage_date from replaced")}
    connection.execute(FORGET_KEYS)
    touched |= {day for (day,) in connection.execute(TAKE_BACK_VOIDS) if day is not None}
    connection.execute(LET_VOIDS_WAIT)
    connection.execute("drop table replaced")
    return touched


def _count_replaced(connection: Connection, report: LoadReport) -> int:
    row = connection.execute(
        "select count(*) from raw.replaced_events where replaced_by = %s", [report.load_id]
    ).fetchone()
    assert row is not None
    return int(row[0])
