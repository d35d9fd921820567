"""The partitions of `raw.usage_events`, one per usage date, and which of them lie in the archive."""

from datetime import date, timedelta

from psycopg import Connection, sql

__all__ = ["archived_months", "drop_partition", "ensure_partition", "month_of", "partition_dates"]

PREFIX = "usage_events_"
LONGEST_WAIT = "5s"


def ensure_partition(connection: Connection, day: date) -> None:
    """Create a date's partition by attaching a new table, which does not wait for the readers of the others."""
    if connection.execute("select to_regclass(%s)", [f"raw.{_name(day)}"]).fetchone() != (None,):
        return
    table = _table(day)
    connection.execute(sql.SQL("create table {} (like raw.usage_events including all)").format(table))
    connection.execute(
        sql.SQL("alter table raw.usage_events attach partition {} for values from ({}) to ({})").format(
            table, sql.Literal(day.isoformat()), sql.Literal((day + timedelta(days=1)).isoformat())
        )
    )


def drop_partition(connection: Connection, day: date) -> None:
    """Drop a date's partition with its events; gives up after some seconds, since whoever loads waits meanwhile.

    Raises:
        psycopg.errors.LockNotAvailable: while somebody reads any partition.
    """
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LONGEST_WAIT)))
    connection.execute(sql.SQL("alter table raw.usage_events detach partition {}").format(_table(day)))
    connection.execute(sql.SQL("drop table {}").format(_table(day)))
    connection.execute("set local lock_timeout = default")


def partition_dates(connection: Connection) -> list[date]:
    """The dates that have a partition, in order."""
    rows = connection.execute("select relid::regclass::text from pg_partition_tree('raw.usage_events') where isleaf")
    digits = (name.rpartition(PREFIX)[2] for (name,) in rows)
    return sorted(date.fromisoformat(found) for found in digits if found.isdigit())


def archived_months(connection: Connection) -> set[date]:
    """The first days of the months whose events lie in the archive, and not in the database."""
    rows = connection.execute(
        "select distinct date_trunc('month', usage_date)::date from raw.archived_dates where restored_at is null"
    )
    return {day for (day,) in rows}


def month_of(day: date) -> date:
    """The first day of a date's month."""
    return day.replace(day=1)


def _name(day: date) -> str:
    return f"{PREFIX}{day:%Y%m%d}"


def _table(day: date) -> sql.Identifier:
    return sql.Identifier("raw", _name(day))
