"""A pipeline of a test's own: a database, folders, a Dagster instance that forgets, and the driver."""

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
from psycopg import Connection

from integrations.postgres.warehouse import Warehouse
from orchestration import clock
from orchestration.driver import Driver

SENSORS = (
    "landing_files_sensor",
    "changed_usage_dates_sensor",
    "day_7_insights_sensor",
    "day_14_recommendations_sensor",
    "billing_sync_sensor",
)


class Pipeline:
    """Lands files, sets the clock, ticks sensors, and looks into the tables."""

    def __init__(self, url: str, landing: Path, outbox: Path) -> None:
        self.warehouse = Warehouse(url)
        self.landing, self.outbox = landing, outbox
        self.instance = dg.DagsterInstance.ephemeral()
        self.driver = Driver(self.instance)

    def connect(self) -> AbstractContextManager[Connection]:
        return self.warehouse.connect()

    def set_clock(self, instant: datetime) -> None:
        with self.connect() as connection:
            clock.set_simulated_now(connection, instant)

    def land(self, feed: str, name: str, content: str | bytes) -> Path:
        path = self.landing / feed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def tick(self, *sensors: str) -> list[str]:
        """The ids of the runs that the sensors asked for, each run to its end."""
        return [run for sensor in sensors or SENSORS for run in self.driver.tick(sensor)]

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def value(self, query: str, *parameters: Any) -> Any:
        return self.rows(query, *parameters)[0][0]

    def fingerprint(self, *tables: str) -> dict[str, str]:
        """A hash of each table's content, whatever the order of its rows."""
        return {
            table: self.value(f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table} as t")
            for table in tables
        }
