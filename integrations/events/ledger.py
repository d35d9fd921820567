"""The book of loads: one row per file and content, with what became of each line that was read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from integrations.events.contract import Rejection
from integrations.events.mapping import SourceMapping
from integrations.events.publish import Published
from integrations.events.readers import UnreadableFile, fingerprint

__all__ = [
    "Arrival",
    "LoadReport",
    "Rejection",
    "Status",
    "already_loaded",
    "close_load",
    "open_load",
    "quarantine",
    "record_failure",
    "report_of",
]

Status = Literal["published", "held", "discarded", "failed"]
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Arrival:
    """A file as it lay there when its load began, and the name by which the book knows it.

    Attributes:
        fingerprint: SHA-256 of the bytes, or `UNREADABLE` with the sentence in `problem`.
    """

    feed: str
    name: str
    fingerprint: str
    size: int
    modified_at: datetime
    problem: str | None = None

    @classmethod
    def of(cls, feed: str, path: Path, name: str | None, now: datetime) -> "Arrival":
        """Look at a file; one that can't be read arrives with its problem."""
        name = name or path.name
        try:
            status = path.stat()
        except OSError as error:
            return cls(feed, name, UNREADABLE, 0, now, f"{name} can't be read: {error.strerror}")
        modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
        try:
            return cls(feed, name, fingerprint(path), status.st_size, modified_at)
        except UnreadableFile as error:
            return cls(feed, name, UNREADABLE, status.st_size, modified_at, str(error))


@dataclass
class LoadReport:
    """What one file came to; read = inserted + duplicate + rejected + filtered.

    For a held load `inserted` counts the events that wait for the release.
    """

    feed: str
    file_name: str
    load_id: int = 0
    status: Status = "published"
    is_new: bool = True
    read: int = 0
    inserted: int = 0
    duplicate: int = 0
    rejected: int = 0
    filtered: int = 0
    filtered_by: dict[str, int] = field(default_factory=dict)
    usage_dates: list[str] = field(default_factory=list)
    message: str | None = None

    def add(self, published: Published) -> None:
        """Take over what became of the rows that seemed fit to be inserted."""
        self.inserted = published.inserted
        self.duplicate += published.duplicate
        self.rejected += published.rejected
        self.usage_dates = published.usage_dates


def already_loaded(connection: Connection, arrival: Arrival) -> LoadReport | None:
    """The report of an earlier load of this very file, so that loading it again changes nothing.

    It waits for a process that loads the same file right now, and keeps others waiting until the caller's transaction
    ends.
    """
    identity = [arrival.feed, arrival.name, arrival.fingerprint]
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", ["\n".join(identity)])
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
        update raw.loads set file_modified_at = %s
        where feed = %s and file_name = %s and fingerprint = %s and status <> 'failed' returning *
        """,
            [arrival.modified_at, *identity],
        )
        .fetchone()
    )
    return report_of(row) if row else None


def open_load(
    connection: Connection, arrival: Arrival, received_at: datetime, mapping: SourceMapping | None = None
) -> LoadReport:
    """Begin a load in the caller's transaction; a failure of the same file, of which nothing was kept, makes room.

    The book keeps the source mapping, by which refused lines can be judged again.
    """
    connection.execute(
        "delete from raw.loads where feed = %s and file_name = %s and status = 'failed'", [arrival.feed, arrival.name]
    )
    row = connection.execute(
        """
        insert into raw.loads (feed, file_name, fingerprint, file_size, file_modified_at, mapping, status, received_at)
        values (%s, %s, %s, %s, %s, %s, 'published', %s) returning load_id
        """,
        [
            *(arrival.feed, arrival.name, arrival.fingerprint, arrival.size, arrival.modified_at),
            *(Jsonb(mapping.model_dump(mode="json")) if mapping else None, received_at),
        ],
    ).fetchone()
    assert row is not None
    return LoadReport(arrival.feed, arrival.name, row[0])


def close_load(connection: Connection, report: LoadReport) -> None:
    """Write the counts of a load; the table itself refuses counts that don't add up."""
    connection.execute(
        """
        update raw.loads set status = %s, count_read = %s, count_inserted = %s, count_duplicate = %s,
            count_rejected = %s, count_filtered = %s, filtered_by = %s, usage_dates = %s::date[], message = %s
        where load_id = %s
        """,
        [
            *(report.status, report.read, report.inserted, report.duplicate, report.rejected, report.filtered),
            *(Jsonb(report.filtered_by), report.usage_dates, report.message, report.load_id),
        ],
    )


def record_failure(connection: Connection, arrival: Arrival, received_at: datetime, message: str) -> LoadReport:
    """Remember that nothing could be taken from a file, so that people see it and nobody tries it again unchanged."""
    with connection.transaction():
        if known := already_loaded(connection, arrival):
            return known
        report = open_load(connection, arrival, received_at)
        report.status, report.message = "failed", message
        close_load(connection, report)
    return report


def quarantine(connection: Connection, load_id: int, rejections: Iterable[Rejection]) -> None:
    """Keep refused lines with their reason; bytes that are no text are kept escaped."""
    with connection.cursor().copy(
        "copy raw.rejected_events (load_id, line, reason, field, message, payload) from stdin"
    ) as copy:
        for r in rejections:
            payload = r.payload.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
            copy.write_row(
                (load_id, r.line, r.reason, r.field, r.message.replace("\0", "\\x00"), payload.rstrip("\r\n"))
            )


def report_of(row: dict[str, Any]) -> LoadReport:
    """The report that a row of `raw.loads` keeps."""
    return LoadReport(
        feed=row["feed"],
        file_name=row["file_name"],
        load_id=row["load_id"],
        status=row["status"],
        is_new=False,
        read=row["count_read"],
        inserted=row["count_inserted"],
        duplicate=row["count_duplicate"],
        rejected=row["count_rejected"],
        filtered=row["count_filtered"],
        filtered_by=row["filtered_by"],
        usage_dates=[str(date) for date in row["usage_dates"]],
        message=row["message"],
    )
