"""The only place that reads the clock; a database that holds a simulated world has a clock of its own."""

from datetime import UTC, datetime

from psycopg import Connection

SIMULATED_NOW = "simulated_now"


def now(connection: Connection) -> datetime:
    """The instant at which the pipeline stands: the clock set in this database, or the real time."""
    return simulated_now(connection) or datetime.now(UTC)


def simulated_now(connection: Connection) -> datetime | None:
    """The clock set in this database, or None where time is real."""
    row = connection.execute("select value from ops.settings where name = %s", [SIMULATED_NOW]).fetchone()
    return datetime.fromisoformat(row[0]) if row else None


def set_simulated_now(connection: Connection, instant: datetime) -> None:
    """Set this database's clock.

    Raises:
        ValueError: for a time without a zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    connection.execute(
        "insert into ops.settings (name, value) values (%s, %s)"
        " on conflict (name) do update set value = excluded.value",
        [SIMULATED_NOW, instant.isoformat()],
    )
