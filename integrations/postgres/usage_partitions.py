"""The partitions of `raw.usage_events`, one per usage date, and which of them lie in the archive."""

from datetime import date, timedelta

from psycopg import Connection, sql

__all__ = ["archived_dates", "drop_partition", "ensure_partition", "has_partition", "partition_dates"]

PREFIX = "usage_events_"


def ensure_partition(connection: Connection, day: date) -> None:
    """Create a date's partition by attaching a new table, which does not wait for the readers of the others."""
    if has_partition(connection, day):
        return
    table = _table(day)
    connection.execute(sql.SQL("create table {} (like raw.usage_events including all)").format(table))
    connection.execute(
        sql.SQL("alter table raw.usage_events attach partition {} for values from ({}) to ({})").format(
            table, sql.Literal(day.isoformat()), sql.Literal((day + timedelta(days=1)).isoformat())
        )
    )


def has_partition(connection: Connection, day: date) -> bool:
    """Tell whether there is one."""
    return connection.execute("select to_regclass(%s)", [f"raw.{_name(day)}"]).fetchone() != (None,)


def drop_partition(connection: Connection, day: date) -> None:
    """Drop a date's partition with its events."""
    connection.execute(sql.SQL("alter table raw.usage_events detach partition {}").format(_table(day)))
    connection.execute(sql.SQL("drop table {}").format(_table(day)))


def partition_dates(connection: Connection, before: date) -> list[date]:
    """The dates before `before` that have a partition, in order."""
    rows = connection.execute(
        "select relid::regclass::text from pg_partition_tree('raw.usage_events') where isleaf order by 1"
    )
    digits = (name.rpartition(PREFIX)[2] for (name,) in rows)
    return [day for day in (date.fromisoformat(found) for found in digits if found.isdigit()) if day < before]


def archived_dates(connection: Connection) -> set[date]:
    """The dates whose events lie in the archive, and not in the database."""
    return {day for (day,) in connection.execute("select usage_date from raw.archived_dates")}


def _name(day: date) -> str:
    return f"{PREFIX}{day:%Y%m%d}"


def _table(day: date) -> sql.Identifier:
    return sql.Identifier("raw", _name(day))
