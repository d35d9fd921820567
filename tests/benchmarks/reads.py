"""How fast an application reads what is stored of one company."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from statistics import quantiles
from typing import Any

import psycopg

from integrations.postgres.warehouse import Warehouse
from orchestration import dbt_runner
from tests.benchmarks.marts_world import COMPANIES, FIRST_DATE
from tests.benchmarks.registry import at_most, benchmark
from tests.benchmarks.workbench import Workbench, seconds

READS, DAYS, ROLE = 500, 90, "bi_reader"
LAST_DATE = FIRST_DATE + timedelta(days=DAYS - 1)
WINDOW = {"USAGE_WINDOW_START": FIRST_DATE.isoformat(), "USAGE_WINDOW_END": LAST_DATE.isoformat()}

# A quarter of days of two branches, and a recommendation per fortnight.
ROWS = f"""
insert into marts.fct_usage_daily (
    company_id, usage_date, branch_id, total_events, total_calls, total_seconds, total_minutes, total_appointments,
    total_revenue, hours_in_day, day_ends_at, is_day_complete
)
select company_id, day, branch_id, 20, 10, 1200, 20, 10, 99.5, 24, day + interval '1 day', true
from generate_series(timestamptz '{FIRST_DATE}Z', '{LAST_DATE}Z', '1 day') as day,
    generate_series(1, {COMPANIES}) as company_id, generate_series(0, 1) as branch_id;
insert into marts.fct_recommendations (
    company_id, recommendation_id, recommendation_key, recommendation_type, action, confidence_score, projected_savings,
    currency, status, as_of, usage_month, generated_at, expires_at, is_decided, is_accepted, is_expired, is_superseded
)
select company_id, company_id * {DAYS} + day, day || ':' || company_id, 'initial', 'stay', 0.9, 0, 'EUR', 'pending',
    date '{FIRST_DATE}' + day, date_trunc('month', date '{FIRST_DATE}' + day), now(), now(), false, false, true, false
from generate_series(1, {COMPANIES}) as company_id, generate_series(14, {DAYS}, 14) as day;
analyze marts.fct_usage_daily, marts.fct_recommendations;
"""
RECOMMENDATION = "select * from marts.fct_recommendations where company_id = %s order by as_of desc limit 1"
USAGE = "select * from marts.fct_usage_daily where company_id = %s and usage_date > %s and usage_date <= %s"


@benchmark("marts.point_read_p95", "ms", at_most(10))
def point_read_p95(bench: Workbench) -> float:
    """The latest recommendation and 14 days of one company among 10,000, as `bi_reader`.

    All through one connection that stays open.
    """
    bench.step("Writing what is read ...")
    url = bench.new_database()
    dbt_runner.invoke(["seed"], url)
    dbt_runner.invoke(["run", "--empty", "--select", "tag:usage", "fct_recommendations"], url, WINDOW)
    with Warehouse(url).connect() as connection:
        connection.execute(ROWS.encode())
        bench.settle()
        connection.execute(f"set role {ROLE}".encode())
        companies = Random(1).choices(range(1, COMPANIES + 1), k=READS)
        took = [seconds(lambda found=company: _read(connection, found)) for company in companies]
    bench.drop_database(url)
    return 1000 * quantiles(took, n=20)[-1]


def _read(connection: psycopg.Connection, company_id: int) -> Sequence[tuple[Any, ...]]:
    recommendation = connection.execute(RECOMMENDATION.encode(), [company_id]).fetchall()
    usage = connection.execute(USAGE.encode(), [company_id, LAST_DATE - timedelta(days=14), LAST_DATE]).fetchall()
    if (len(recommendation), len(usage)) != (1, 28):
        raise RuntimeError(f"Company {company_id} has {len(recommendation)} recommendations and {len(usage)} days.")
    return usage
