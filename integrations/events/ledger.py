"""The book of loads: one row per file and content, with what became of each line that was read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from integrations.events.readers import fingerprint

__all__ = [
    "LoadReport",
    "Rejection",
    "Status",
    "already_loaded",
    "close_load",
    "open_load",
    "quarantine",
    "record_failure",
]

Status = Literal["published", "held", "discarded", "failed"]


@dataclass(frozen=True)
class Rejection:
    """One line that was refused: where, why, and what it said."""

    line: int
    reason: str
    field: str | None
    message: str
    payload: bytes


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


def already_loaded(connection: Connection, feed: str, path: Path) -> LoadReport | None:
    """The report of an earlier load of this very file, so that loading it again changes nothing.

    Raises:
        UnreadableFile: when the file can't be read.
    """
    print_, modified = fingerprint(path), _modified_at(path)
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
        update raw.loads set file_modified_at = %s
        where feed = %s and file_name = %s and fingerprint = %s and status <> 'failed' returning *
        """,
            [modified, feed, path.name, print_],
        )
        .fetchone()
    )
    return _report(row) if row else None


def open_load(connection: Connection, feed: str, path: Path, received_at: datetime) -> LoadReport:
    """Begin a load in the caller's transaction; an earlier failed one of the same content makes room."""
    print_ = fingerprint(path)
    connection.execute(
        "delete from raw.loads where feed = %s and file_name = %s and fingerprint = %s and status = 'failed'",
        [feed, path.name, print_],
    )
    row = connection.execute(
        """
        insert into raw.loads (feed, file_name, fingerprint, file_size, file_modified_at, status, received_at)
        values (%s, %s, %s, %s, %s, 'published', %s) returning load_id
        """,
        [feed, path.name, print_, path.stat().st_size, _modified_at(path), received_at],
    ).fetchone()
    assert row is not None
    return LoadReport(feed, path.name, row[0])


def close_load(connection: Connection, report: LoadReport) -> None:
    """Write the counts of a load; the table itself refuses counts that don't add up."""
    connection.execute(
        """
        update raw.loads set status = %s, count_read = %s, count_inserted = %s, count_duplicate = %s,
            count_rejected = %s, count_filtered = %s, filtered_by = %s, usage_dates = %s::date[], message = %s
        where load_id = %s
        """,
        [
            *(
                report.status,
                report.read,
                report.inserted,
                report.duplicate,
                report.rejected,
                report.filtered,
            ),
            *(Jsonb(report.filtered_by), report.usage_dates, report.message, report.load_id),
        ],
    )


def record_failure(connection: Connection, feed: str, path: Path, received_at: datetime, message: str) -> LoadReport:
    """Remember that nothing could be taken from a file, so that people see it and nobody tries it again unchanged."""
    with connection.transaction():
        report = open_load(connection, feed, path, received_at)
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


def _modified_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _report(row: dict[str, Any]) -> LoadReport:
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
