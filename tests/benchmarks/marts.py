"""How much longer the usage marts take than DuckDB does for the same outputs, and what a run costs beyond its SQL."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from statistics import median

import psycopg

from integrations.postgres.warehouse import Warehouse
from orchestration import dbt_runner
from tests.benchmarks.marts_twins import Twin
from tests.benchmarks.marts_world import FIRST_DATE, write_world
from tests.benchmarks.registry import at_most, benchmark
from tests.benchmarks.workbench import Workbench, seconds

REPETITIONS, DAYS_OF_BACKFILL = 3, 30
BUILD = ("build", "--exclude-resource-type", "unit_test", "--select")


@dataclass(frozen=True)
class Seconds:
    """One repetition over a date: in DuckDB, by `dbt build`, and by the Dagster run of that build."""

    duckdb: float
    build: float
    run: float


@benchmark("marts.day_vs_duckdb", "x", at_most(3))
def day_vs_duckdb(bench: Workbench) -> float:
    """`dbt build` of all usage marts for one date of 10,000 companies, with tests, over the same marts in DuckDB."""
    return median(took.build / took.duckdb for took in _measure_day(bench))


@benchmark("marts.day_build_seconds", "s", None)
def day_build_seconds(bench: Workbench) -> float:
    """The `dbt build` itself."""
    return median(took.build for took in _measure_day(bench))


@benchmark("marts.daily_run_overhead", "s", None)
def daily_run_overhead(bench: Workbench) -> float:
    """A Dagster run of `usage_marts_job` over one date without any company: what it takes beyond aggregating.

    The run is recorded in PostgreSQL, as in production, but it is in this process; a daemon adds the start of one.
    """
    return _overhead(bench)


@benchmark("marts.daily_run_overhead_share", "%", None)
def daily_run_overhead_share(bench: Workbench) -> float:
    """The same as a share of the run over the date of 10,000 companies."""
    return 100 * _overhead(bench) / median(took.run for took in _measure_day(bench))


@cache
def _overhead(bench: Workbench) -> float:
    bench.step("Running the job over an empty date ...")
    url = bench.new_database()
    dbt_runner.invoke([*BUILD, "tag:reference"], url)
    run = _daily_run(url)
    run()
    took = median(seconds(run) for _ in range(REPETITIONS))
    bench.drop_database(url)
    return took


@benchmark("marts.full_vs_duckdb", "x", None)
def full_vs_duckdb(bench: Workbench) -> float:
    """A first build of 30 dates with 5.1M events in one go, over the same marts in DuckDB; once, for its length."""
    with _world(bench, DAYS_OF_BACKFILL) as (url, connection):
        bench.step(f"Building {DAYS_OF_BACKFILL} dates ...")
        bench.settle()
        built: list[tuple[str, str]] = []
        build = seconds(lambda: built.extend(_build(url, DAYS_OF_BACKFILL)))
        twin = Twin(connection, bench.folder / "full", built)
        in_duckdb = seconds(twin.build)
        twin.check()
    return build / in_duckdb


@cache
def _measure_day(bench: Workbench) -> list[Seconds]:
    with _world(bench, 1) as (url, connection):
        bench.step("Building the marts for the first time ...")
        twin = Twin(connection, bench.folder / "day", _build(url, 1))
        twin.build()
        twin.check()
        run = _daily_run(url)
        run()
        took = []
        for repetition in range(1, REPETITIONS + 1):
            bench.step(f"Rebuilding a day, {repetition} of {REPETITIONS} ...")
            bench.settle()
            took.append(Seconds(seconds(twin.build), seconds(lambda: _build(url, 1)), seconds(run)))
    return took


@contextmanager
def _world(bench: Workbench, days: int) -> Iterator[tuple[str, psycopg.Connection]]:
    """A warehouse with that many dates of events and no usage mart, and a connection to it."""
    bench.step(f"Writing {days} days of events ...")
    url = bench.new_database()
    with Warehouse(url).connect() as connection:
        write_world(connection, days)
        dbt_runner.invoke([*BUILD, "tag:reference"], url)
        yield url, connection
    bench.drop_database(url)


def _build(url: str, days: int) -> list[tuple[str, str]]:
    """Rebuild the dates; the schema and name of each mart, in the order in which they were built."""
    window = {
        "USAGE_WINDOW_START": FIRST_DATE.isoformat(),
        "USAGE_WINDOW_END": (FIRST_DATE + timedelta(days=days)).isoformat(),
    }
    results = dbt_runner.invoke([*BUILD, "tag:usage"], url, window)
    failed = [f"{result.node.name}: {result.message}" for result in results if result.status not in ("success", "pass")]
    if failed or not results:
        raise RuntimeError(f"dbt could not build {', '.join(failed) or 'anything'}")
    return [(result.node.schema, result.node.name) for result in results if result.node.resource_type == "model"]


def _daily_run(url: str) -> Callable[[], str]:
    """A function that runs the job of the daily build over the first date, recorded as in production."""
    import dagster as dg

    from orchestration.driver import Driver
    from orchestration.environment import prepare
    from orchestration.partitions import range_tags

    os.environ["DATABASE_URL"] = url
    prepare()
    driver = Driver(dg.DagsterInstance.get())
    return lambda: driver.run("usage_marts_job", range_tags(FIRST_DATE, FIRST_DATE))
