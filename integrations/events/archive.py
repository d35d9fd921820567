"""Old usage dates as Parquet files: written, read back and compared before anything is dropped; and brought back."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from psycopg import Connection, errors, sql

from integrations.events.archive_format import NAMES, read_rows, write_rows
from integrations.events.forgetting import forget_properties
from integrations.events.publish import PUBLISH_LOCK
from integrations.postgres.usage_partitions import drop_partition, ensure_partition, month_of
from integrations.urls import without_credentials

__all__ = ["Archive", "ArchiveBusy", "ArchiveDamaged", "Archived"]

# The sum of 64-bit hashes, so that the order of the rows does not matter.
MEASURE = sql.SQL("select count(*), coalesce(sum(hashtextextended(row({names})::text, 0)), 0) from {table} {where}")
EVENTS = sql.Identifier("raw", "usage_events")
ALL = sql.SQL("")


class ArchiveDamaged(RuntimeError):
    """A file of the archive does not hold what was put into it; nothing was changed."""


class ArchiveBusy(RuntimeError):
    """A date could not be dropped, because somebody reads it; nothing was changed."""


@dataclass(frozen=True)
class Archived:
    """One usage date in the archive: where, how many rows, and the sum of their hashes."""

    usage_date: date
    location: str
    rows: int
    checksum: Decimal


class Archive:
    """The files of archived usage dates below one folder, or below any URL that fsspec knows."""

    def __init__(self, url: str) -> None:
        import fsspec

        self._files, self._root = fsspec.core.url_to_fs(url)
        self.url = without_credentials(url)

    def archive(self, connection: Connection, day: date, now: datetime) -> Archived:
        """Move a date's events into a file, in one transaction; they are dropped once the file was read back.

        Raises:
            ArchiveBusy: when somebody reads the events for longer than some seconds.
            ArchiveDamaged: when what was read back is not what was written.
        """
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
            location = f"usage_events/{day:%Y-%m}/{day}.parquet"
            where = sql.SQL("where usage_date = {}").format(sql.Literal(day))
            rows, checksum = _measure(connection, EVENTS, where)
            self._write(connection, where, location)
            found = Archived(day, location, rows, checksum)
            with self._staged(connection, found):
                try:
                    drop_partition(connection, day)
                except errors.LockNotAvailable as error:
                    raise ArchiveBusy(f"The events of {day} are being read at this moment; try again later.") from error
            connection.execute(
                """
                insert into raw.archived_dates (usage_date, location, count_rows, checksum, archived_at)
                values (%s, %s, %s, %s, %s)
                on conflict (usage_date) do update set location = excluded.location,
                    count_rows = excluded.count_rows, checksum = excluded.checksum,
                    archived_at = excluded.archived_at, restored_at = null
                """,
                [day, location, rows, checksum, now],
            )
        return found

    def restore(self, connection: Connection, dates: Iterable[date], now: datetime) -> list[Archived]:
        """Bring back the whole months of `dates`, since a month is rebuilt as a whole. The files stay.

        Raises:
            ArchiveDamaged: when a file is missing, or not what was archived; nothing is restored then.
        """
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
            rows = connection.execute(
                "select usage_date, location, count_rows, checksum from raw.archived_dates"
                " where restored_at is null and date_trunc('month', usage_date)::date = any(%s) order by usage_date",
                [sorted({month_of(day) for day in dates})],
            ).fetchall()
            restored = [Archived(*row) for row in rows]
            for found in restored:
                ensure_partition(connection, found.usage_date)
                with self._staged(connection, found) as table:
                    connection.execute(
                        sql.SQL("insert into raw.usage_events ({names}) select {names} from {table}").format(
                            names=NAMES, table=table
                        )
                    )
            connection.execute(
                "update raw.archived_dates set restored_at = %s where usage_date = any(%s)",
                [now, [found.usage_date for found in restored]],
            )
        return restored

    def rewrite(self, connection: Connection, company_id: int, customer: str, pseudonym: str) -> int:
        """Put a pseudonym in the place of a customer in every file, and drop the free properties of these events.

        Returns:
            How many events were changed.
        """
        paths = sorted(self._files.find(f"{self._root}/usage_events")) if self._files.exists(self._root) else []
        for path in paths:
            if path.endswith(".unfinished"):
                self._files.rm(path)
        locations = [path[len(self._root) :].lstrip("/") for path in paths if path.endswith(".parquet")]
        return sum(self._rewrite(connection, location, company_id, customer, pseudonym) for location in locations)

    def _rewrite(self, connection: Connection, location: str, company_id: int, customer: str, pseudonym: str) -> int:
        """Write a second file, let the book name it, then remove the first: a crash leaves what the book says."""
        rewritten = f"{location.removesuffix('.parquet')}.{pseudonym}.parquet"
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
            with self._loaded(connection, location) as table:
                found = connection.execute(
                    sql.SQL("update {} set customer = %s, {} where company_id = %s and customer = %s").format(
                        table, forget_properties(connection, customer, pseudonym)
                    ),
                    [pseudonym, company_id, customer],
                ).rowcount
                if not found:
                    return 0
                self._write(connection, ALL, rewritten, table)
                rows, checksum = _measure(connection, table)
            connection.execute(
                "update raw.archived_dates set location = %s, count_rows = %s, checksum = %s where location = %s",
                [rewritten, rows, checksum, location],
            )
        self._files.rm(f"{self._root}/{location}")
        return found

    @contextmanager
    def _staged(self, connection: Connection, expected: Archived) -> Iterator[sql.Identifier]:
        """A temporary table with the rows of a file, which were compared with what they should be."""
        with self._loaded(connection, expected.location) as table:
            if _measure(connection, table) != (expected.rows, expected.checksum):
                raise ArchiveDamaged(
                    f"{self.url}/{expected.location} does not hold the {expected.rows:,} events of"
                    f" {expected.usage_date}. Nothing was changed; look at the file, or at its storage's versions."
                )
            yield table

    @contextmanager
    def _loaded(self, connection: Connection, location: str) -> Iterator[sql.Identifier]:
        import pyarrow

        table = sql.Identifier("from_archive")
        connection.execute("create temporary table from_archive (like raw.usage_events) on commit drop")
        try:
            with self._files.open(f"{self._root}/{location}", "rb") as file:
                read_rows(connection, file, table)
        except (OSError, pyarrow.ArrowInvalid) as error:
            raise ArchiveDamaged(f"{self.url}/{location} can't be read: {error}") from error
        yield table
        connection.execute("drop table from_archive")

    def _write(
        self,
        connection: Connection,
        where: sql.Composable,
        location: str,
        table: sql.Identifier = EVENTS,
    ) -> None:
        """Write the rows of a query; the file takes its name only when it is whole."""
        path = f"{self._root}/{location}"
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        unfinished = f"{path}.unfinished"
        with self._files.open(unfinished, "wb") as file:
            write_rows(connection, table, where, file)
        self._files.mv(unfinished, path)


def _measure(connection: Connection, table: sql.Identifier, where: sql.Composable = ALL) -> tuple[int, Decimal]:
    connection.execute("set local timezone = 'UTC'")
    row = connection.execute(MEASURE.format(names=NAMES, table=table, where=where)).fetchone()
    assert row is not None
    return int(row[0]), Decimal(row[1])
