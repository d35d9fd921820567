"""Raw events of old months go into the archive; what is built from them stays, and is not rebuilt without them."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from psycopg import Connection

from integrations.events.archive import Archive, ArchiveBusy, Archived
from integrations.events.publish import PUBLISH_LOCK, Restore
from integrations.events.retention import dates_to_archive
from integrations.postgres.locks import WRITER_LOCK, exclusive
from integrations.postgres.usage_dates import dirty_dates
from integrations.postgres.usage_partitions import archived_months, month_of, partition_dates
from integrations.postgres.warehouse import Warehouse
from integrations.urls import without_credentials
from orchestration import paths

STAYS_RESTORED = timedelta(days=7)


def open_archive() -> Archive:
    """The archive of ARCHIVE_URL.

    Raises:
        ValueError: when the URL is of an unknown kind, or its driver is not installed.
    """
    url = paths.archive_url()
    try:
        return Archive(url)
    except (ImportError, ValueError) as error:
        shown = without_credentials(url)
        raise ValueError(
            f"ARCHIVE_URL {shown} can't be used: {error}. Install fsspec's driver for it, or set another."
        ) from None


def restoring(archive: Archive, now: datetime) -> Restore:
    """What brings archived months back while events are published."""
    return lambda connection, dates: archive.restore(connection, dates, now)


def dates_due(connection: Connection, now: datetime, days: int) -> list[date]:
    """The dates whose events may go into the archive.

    A month stays while one of its dates is not built, or was brought back less than `STAYS_RESTORED` ago.

    Args:
        connection: to the warehouse.
        now: the instant at which the pipeline stands.
        days: how long raw events are kept.
    """
    partitions = partition_dates(connection)
    known = {day for (day,) in connection.execute("select usage_date from ops.usage_date_state")}
    restored = connection.execute(
        "select usage_date from raw.archived_dates where restored_at > %s", [now - STAYS_RESTORED]
    )
    waiting = {*dirty_dates(connection), *(set(partitions) - known), *(day for (day,) in restored)}
    return dates_to_archive(partitions, waiting, now.date(), days)


def archive_due(
    warehouse: Warehouse,
    archive: Archive,
    now: datetime,
    days: int,
    tell: Callable[[Archived], None] = lambda archived: None,
) -> list[Archived]:
    """Archive every date that is due, each in a transaction of its own, while no build and no load is under way.

    Args:
        warehouse: whose events go.
        archive: where they go.
        now: the instant at which the pipeline stands.
        days: how long raw events are kept.
        tell: called after each date.

    Raises:
        ArchiveDamaged: when a file does not hold what was written; the dates before it stay archived.
    """
    archived = []
    with warehouse.connect() as connection:
        for day in dates_due(connection, now, days):
            with exclusive(warehouse.url, WRITER_LOCK), connection.transaction():
                connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
                if day not in dates_due(connection, now, days):  # a load has changed its month in the meantime
                    continue
                try:
                    found = archive.archive(connection, day, now)
                except ArchiveBusy:
                    continue  # its events are being read; the next run takes it
            archived.append(found)
            tell(found)
    return archived


def archived_among(connection: Connection, dates: Iterable[date]) -> list[date]:
    """The first days of those months of `dates` whose events lie in the archive."""
    return sorted(archived_months(connection) & set(map(month_of, dates)))


def refusal(months: list[date]) -> str:
    """Why a build over archived months is refused, and what to do."""
    names = ", ".join(f"{month:%Y-%m}" for month in months)
    last = month_of(months[-1] + timedelta(days=31)) - timedelta(days=1)
    return (
        f"The events of {names} lie in the archive, and a build would empty the marts of these months."
        f" Bring the events back first: usage-pricing restore {months[0]} {last}"
    )
