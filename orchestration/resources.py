"""What assets and sensors are given: the warehouse, its clock and its settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import dagster as dg
from psycopg import Connection

from integrations.postgres.usage_dates import dirty_dates
from integrations.postgres.warehouse import Warehouse
from orchestration import clock, environment

KNOWN_AT_TAG = "known_at"


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The warehouse, as DATABASE_URL or the embedded server has it."""

    def warehouse(self) -> Warehouse:
        """Readers and writers for whole frames."""
        return Warehouse(environment.database_url())

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in autocommit."""
        with self.warehouse().connect() as connection:
            yield connection

    def now(self) -> datetime:
        """The instant at which the pipeline stands."""
        with self.connect() as connection:
            return clock.now(connection)


def known_at(context: dg.AssetExecutionContext, db: WarehouseResource) -> datetime:
    """The instant for which an analysis speaks: now, or the one that the run's tag `known_at` says, as in the past.

    Raises:
        dagster.Failure: when the tag is no time with a zone, or is yet to come; and when marts lag behind the events,
            since what the tag's instant knew of their dates can't be told until they are built.
    """
    written, now = context.run.tags.get(KNOWN_AT_TAG), db.now()
    if written is None:
        return now
    try:
        instant = datetime.fromisoformat(written)
        is_past = instant <= now
    except (TypeError, ValueError):
        is_past = False
    if not is_past:
        raise dg.Failure(
            f"The tag {KNOWN_AT_TAG} is {written}; write a time of the past like 2026-11-01T13:00:00+00:00."
        )
    with db.connect() as connection:
        last = date.fromisoformat(context.partition_key_range.end)
        if behind := [str(day) for day in dirty_dates(connection) if day <= last]:
            raise dg.Failure(f"Build the marts of {', '.join(behind[:10])} first: they lag behind what has come in.")
    return instant


def go_live_date(connection: Connection) -> date | None:
    """Companies activated before this date are not mailed; it starts as the day of installation."""
    row = connection.execute("select value from ops.settings where name = 'go_live_date'").fetchone()
    return date.fromisoformat(row[0]) if row else None


def has_marts(connection: Connection) -> bool:
    """Tell whether the marts were built once: on a new database nothing can be due before."""
    row = connection.execute(
        "select to_regclass('marts.dim_companies') is not null"
        " and to_regclass('marts.fct_meter_usage_daily') is not null"
        " and to_regclass('marts.fct_meter_usage_monthly') is not null"
        " and to_regclass('marts.subscriptions_history') is not null"
        " and to_regclass('marts.fct_event_lateness') is not null"
        " and to_regclass('marts.fct_conversion') is not null"
        " and to_regclass('intermediate.int_priced_events') is not null"
    ).fetchone()
    return bool(row and row[0])


NO_MARTS = dg.SkipReason("The marts were not built yet.")


def set_go_live_date(connection: Connection, day: date) -> None:
    """Mail companies that were activated on `day` or later."""
    connection.execute(
        "insert into ops.settings (name, value) values ('go_live_date', %s)"
        " on conflict (name) do update set value = excluded.value",
        [day.isoformat()],
    )


resources = {"db": WarehouseResource()}
