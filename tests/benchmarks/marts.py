"""How much longer the rebuild of one usage date takes than the bare aggregation of its rows in DuckDB."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import duckdb
import psycopg

from integrations.postgres.warehouse import Warehouse
from orchestration import dbt_runner
from tests.benchmarks.registry import at_most, benchmark
from tests.benchmarks.workbench import Workbench, seconds

COMPANIES, EVENTS, DAY, REPETITIONS = 10_000, 170_000, "2026-10-07", 3
WINDOW = {"USAGE_WINDOW_START": DAY, "USAGE_WINDOW_END": "2026-10-08"}
ROWS_READ = (
    "company_id, branch_id, usage_date, local_minute, event_type, outcome, duration_seconds, customer, revenue,"
    " is_after_hours"
)

# As many companies and branches as asked for, and a day of events with the shape of the simulator's: large and small
# companies, calls by day more than by night, two of five events an appointment. The same rows each time.
WORLD = f"""
insert into raw.company_ids (company_key) select 'company-' || i from generate_series(1, {COMPANIES}) as i;
insert into raw.companies (
    company_id, valid_from, received_at, name, industry, country, time_zone, business_hours, locale, currency,
    activated_at, load_id
)
select company_id, '2026-09-01Z', '2026-09-01Z', company_key, 'beauty', 'DE', 'Europe/Berlin',
    '{{"mon": ["09:00", "17:00"]}}', 'de', 'EUR', '2026-09-01Z', 1
from raw.company_ids;
insert into raw.branch_ids (company_id, branch_key)
select company_id, 'branch-' || branch from raw.company_ids, generate_series(0, company_id % 3) as branch;
insert into raw.branches (company_id, branch_id, valid_from, received_at, name, load_id)
select company_id, branch_id, '2026-09-01Z', '2026-09-01Z', branch_key, 1 from raw.branch_ids;
create table raw.usage_events_day partition of raw.usage_events
for values from ('{DAY}') to (date '{DAY}' + 1);
select setseed(0.5);
create temporary table sites as
select company_id, array_agg(branch_id) as branches from raw.branch_ids group by company_id;
create temporary table drawn as
select i, 1 + floor({COMPANIES} * power(random(), 1.5))::bigint as company_id, random() as of_branch,
    least(1439, greatest(0, round(720 + 240 * random_normal())))::smallint as local_minute,
    random() < 0.6 as is_call, random() as of_outcome, 'c-' || floor(40 * power(random(), 2.5)) as customer,
    round(exp(5 + 0.6 * random_normal()))::bigint as seconds
from generate_series(1, {EVENTS}) as i;
insert into raw.usage_events
select company_id, '{DAY}', local_minute, '{DAY}Z'::timestamptz + local_minute * interval '1 minute', '/phone',
    'e' || i, case when is_call then 'call' else 'appointment' end,
    branches[1 + floor(of_branch * cardinality(branches))::integer], customer, 1,
    case when is_call then seconds end,
    case when is_call then case when of_outcome < 0.65 then 'success' else 'failure' end else 'completed' end,
    null, null, case when not is_call then seconds / 2.0 end, case when not is_call then 'EUR' end,
    local_minute not between 540 and 1019, false, null, 1
from drawn inner join sites using (company_id);
analyze raw.usage_events;
"""

# The columns of fct_usage_hourly and fct_usage_daily, from the same rows.
FLOOR = """
create or replace table hourly as
select company_id, branch_id, usage_date, local_minute // 60 as local_hour,
    count(*) filter (where event_type = 'call') as total_calls,
    sum(duration_seconds) filter (where event_type = 'call') as total_seconds,
    count(*) filter (where event_type = 'call' and outcome = 'success') as successful_bookings,
    count(*) filter (where event_type = 'call' and outcome = 'failure') as failed_bookings,
    count(*) filter (where event_type = 'appointment') as total_appointments,
    count(*) filter (where event_type = 'call' and is_after_hours) as after_hours_calls,
    sum(duration_seconds) filter (where event_type = 'call' and is_after_hours) as after_hours_seconds,
    sum(revenue) as total_revenue
from events group by all;
create or replace table daily as
select *, total_seconds / 60.0 as total_minutes, total_seconds / 60.0 / nullif(total_calls, 0) as avg_call_duration,
    100.0 * successful_bookings / nullif(total_calls, 0) as conversion_rate
from (
    select company_id, branch_id, usage_date, sum(total_calls) as total_calls, sum(total_seconds) as total_seconds,
        sum(successful_bookings) as successful_bookings, sum(failed_bookings) as failed_bookings,
        sum(total_appointments) as total_appointments, sum(after_hours_calls) as after_hours_calls,
        max(total_calls) as peak_hour_calls, sum(total_revenue) as total_revenue
    from hourly group by all
) natural join (
    select company_id, branch_id, usage_date, count(distinct customer) as unique_customers from events group by all
);
"""


@dataclass(frozen=True)
class Seconds:
    """One repetition: DuckDB's aggregation, the whole `dbt build`, and the sum of its models' own times."""

    duckdb: float
    build: float
    models: float


@benchmark("marts.day_vs_duckdb", "x", at_most(3))
def day_vs_duckdb(bench: Workbench) -> float:
    """`dbt build` of all usage marts for one date of 10,000 companies, with tests, over two aggregations in DuckDB."""
    return median(took.build / took.duckdb for took in _measure(bench))


@benchmark("marts.day_sql_vs_duckdb", "x", at_most(3))
def day_sql_vs_duckdb(bench: Workbench) -> float:
    """The sum of the models' own times in that build, without tests and dbt's work around them."""
    return median(took.models / took.duckdb for took in _measure(bench))


@benchmark("marts.day_build_seconds", "s", None)
def day_build_seconds(bench: Workbench) -> float:
    """The `dbt build` itself."""
    return median(took.build for took in _measure(bench))


@cache
def _measure(bench: Workbench) -> list[Seconds]:
    bench.step(f"Writing a day of {COMPANIES:,} companies ...")
    url = bench.new_database()
    with Warehouse(url).connect() as connection:
        connection.execute(WORLD.encode())
        floor = _in_duckdb(connection, bench.folder / "day.csv")
    bench.step("Building the marts for the first time ...")
    dbt_runner.invoke(["build", "--exclude-resource-type", "unit_test", "--select", "tag:reference"], url)
    _build(url)
    took = []
    for repetition in range(1, REPETITIONS + 1):
        bench.step(f"Rebuilding a day, {repetition} of {REPETITIONS} ...")
        bench.settle()
        results: list[float] = []
        in_duckdb = seconds(lambda: floor.execute(FLOOR))
        build = seconds(lambda found=results: found.extend(_build(url)))
        took.append(Seconds(in_duckdb, build, sum(results)))
    bench.drop_database(url)
    return took


def _build(url: str) -> list[float]:
    """Rebuild the day; the seconds of each model."""
    results = dbt_runner.invoke(["build", "--exclude-resource-type", "unit_test", "--select", "tag:usage"], url, WINDOW)
    failed = [result.node.name for result in results if str(result.status) not in ("success", "pass")]
    if failed or not results:
        raise RuntimeError(f"dbt could not build {', '.join(failed) or 'anything'}")
    return [result.execution_time for result in results if str(result.node.resource_type) == "model"]


def _in_duckdb(connection: psycopg.Connection, path: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB that holds the columns of the day's rows that the marts read, typed as they are."""
    query = f"copy (select {ROWS_READ} from raw.usage_events) to stdout (format csv, header)"
    with path.open("wb") as file, connection.cursor().copy(query.encode()) as copy:
        file.writelines(copy)
    floor = duckdb.connect(config={"threads": os.cpu_count()})
    floor.execute(
        f"create table events as from read_csv('{path}', types = {{'revenue': 'decimal(20,6)', 'usage_date': 'date'}})"
    )
    return floor
