"""The whole story in one run: a simulated world is loaded day by day, and the pipeline does what it does."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import dagster as dg
from psycopg import Connection

from integrations.postgres.schema import migrate
from integrations.postgres.warehouse import Warehouse
from ml.rating.catalogue import default_catalogue
from ml.synthetic import write_world
from orchestration import clock, paths, worlds
from orchestration.driver import Driver
from orchestration.resources import set_go_live_date

EARLY = time_of_day(6, tzinfo=UTC)
"""The hour of a demo day: by then each company's evening before has arrived, and noon of the day before is past."""

SENSORS = {
    "landing_files_sensor": "load events",
    "changed_usage_dates_sensor": "build marts",
    "day_7_insights_sensor": "first insights",
    "day_14_recommendations_sensor": "recommendations",
    "billing_sync_sensor": "rate and meter",
}
STEPS = 2 + 3 * len(SENSORS)
"""How often `run_demo` calls its `step`: for the simulation, on days 7, 14 and last for each sensor, and at the end."""
Step = Callable[[str], None]


@dataclass
class DemoReport:
    """Seconds per stage, and the figures that the closing table shows."""

    seconds: dict[str, float] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        begun = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0) + time.perf_counter() - begun


def run_demo(url: str, events: int, companies: int, days: int, seed: int, step: Step) -> DemoReport:
    """Simulate a world and let the pipeline live through its days 7, 14 and last.

    Args:
        url: the warehouse; it must be empty or hold an earlier simulated world, which is replaced.
        events: about how many events to simulate, over all `companies` and `days`.
        companies: how many companies.
        days: how many days of usage.
        seed: the same seed gives the same world.
        step: called with a sentence when something begins.

    Raises:
        NotSimulated: when the database holds somebody's data.
        RunFailed: when a run of the pipeline failed.
    """
    report = DemoReport()
    folder = paths.local() / "demo"
    os.environ |= {"LANDING_URL": f"file://{folder / 'landing'}", "OUTBOX_FOLDER": str(folder / "outbox")}
    warehouse = Warehouse(url)
    _start_anew(warehouse, folder)
    start = date(2026, 10, 1)
    step("Simulating a world of usage ...")
    with report.timed("simulate"):
        world = write_world(
            folder / "world",
            companies=companies,
            days=days,
            events=events,
            start=start,
            seed=seed,
            catalogue=default_catalogue(),
        )
    arrivals = sorted((folder / "world/arrivals").iterdir())
    with dg.DagsterInstance.get() as instance, warehouse.connect() as connection:
        instance.wipe()
        worlds.mark_simulated(connection)
        set_go_live_date(connection, start)
        driver = Driver(instance)
        last = date.fromisoformat(world.last_arrival)
        days_told = {"day 7": start + timedelta(days=8), "day 14": start + timedelta(days=15), "the last day": last}
        for name, day in days_told.items():
            clock.set_simulated_now(connection, datetime.combine(day, EARLY))
            deliver(arrivals, day, folder / "landing")
            for sensor, stage in SENSORS.items():
                step(f"It is {day:%-d %B %Y}, {name}: {stage} ...")
                with report.timed(stage):
                    driver.tick(sensor)
        step("A day later, a month after the first recommendations: measure them by what was used ...")
        clock.set_simulated_now(connection, datetime.combine(last + timedelta(days=1), EARLY))
        with report.timed("measure regret"):
            driver.run("recommendation_regret_job")
        report.figures = _figures(connection)
    return report


def _start_anew(warehouse: Warehouse, folder: Path) -> None:
    with warehouse.connect() as connection:
        if worlds.is_simulated(connection):
            worlds.wipe(connection)
            migrate(warehouse.url)
        elif connection.execute("select 1 from raw.loads limit 1").fetchone():
            worlds.mark_simulated(connection)  # refuses, in words
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "landing").mkdir(parents=True)


def deliver(arrivals: list[Path], day: date, landing: Path) -> None:
    """Let the files arrive that had arrived by `day`; a link or a copy, so that the world stays whole."""
    for arrival in arrivals:
        if date.fromisoformat(arrival.name) <= day:
            shutil.copytree(arrival, landing, dirs_exist_ok=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    if not Path(target).exists():
        os.link(source, target)


COUNTS = """
    select sum(count_read), sum(count_inserted), sum(count_duplicate), sum(count_rejected), sum(count_filtered)
    from raw.loads where feed = 'events'
"""
RATED = "select currency, sum(amount) from billing.rated_usage group by currency order by currency"
SAVINGS = """
    select currency, percentile_cont(0.5) within group (order by projected_savings)
    from ml.pricing_recommendations where action = 'switch' group by currency order by currency
"""
REGRET = """
    select currency, sum(regret) / nullif(sum(best_cost), 0) from ml.recommendation_regret group by currency order by 1
"""
RIGHT = """
    select count(*) filter (where was_right) || ' of ' || count(was_right) || ', as told with '
        || round(100 * avg(probability) filter (where was_right is not null)) || ' %'
    from ml.recommendation_regret
"""


def _figures(connection: Connection) -> dict[str, str]:
    def number(query: str) -> str:
        row = connection.execute(query.encode()).fetchone()
        return f"{row[0] if row else 0:,}"

    read, *fates = connection.execute(COUNTS).fetchone() or (0,) * 5
    savings, rated = (
        ", ".join(f"{amount:,.2f} {currency}" for currency, amount in connection.execute(query)) or "-"
        for query in (SAVINGS, RATED)
    )
    regret = ", ".join(f"{share:.1%} {currency}" for currency, share in connection.execute(REGRET) if share) or "-"
    (right,) = connection.execute(RIGHT).fetchone() or ("-",)
    names = ("inserted", "duplicate", "rejected", "filtered")
    return {
        "events read": f"{read:,}",
        **{f"  {name}": f"{count:,}" for name, count in zip(names, fates, strict=True)},
        "companies": number("select count(*) from marts.dim_companies"),
        "recommendations": number("select count(*) from ml.pricing_recommendations"),
        "  switch": number("select count(*) from ml.pricing_recommendations where action = 'switch'"),
        "  stay": number("select count(*) from ml.pricing_recommendations where action = 'stay'"),
        "median saving a month": savings,
        "turned out right": right or "-",
        "regret, of the best cost": regret,
        "mails": number("select count(*) from messaging.notifications where state = 'dry_run'"),
        "rated": rated,
        "meter events planned": number("select count(*) from billing.meter_events"),
    }
