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

# A quarter of days of two branches, and a recommendation per fortnight; empty objects where no reader looks.
ROWS = f"""
insert into marts.fct_usage_daily (
    company_id, usage_date, branch_id, total_events, total_calls, total_seconds, total_minutes, total_appointments,
    total_revenue, hours_in_day, day_ends_at, is_day_complete
)
select company_id, day, branch_id, 20, 10, 1200, 20, 10, 99.5, 24, day + interval '1 day', true
from generate_series(timestamptz '{FIRST_DATE}Z', '{LAST_DATE}Z', '1 day') as day,
    generate_series(1, {COMPANIES}) as company_id, generate_series(0, 1) as branch_id;
insert into ml.pricing_recommendations (
    company_id, recommendation_key, recommendation_type, action, alternatives, reasoning, confidence_score,
    projected_savings, projected_revenue_impact, currency, as_of, known_at, input_series, generated_at, expires_at
)
select company_id, 'day-' || day, 'initial', 'stay', '[]', '{{}}', 0.9, 0, 0, 'EUR', date '{FIRST_DATE}' + day, now(),
    '{{}}', now(), now()
from generate_series(1, {COMPANIES}) as company_id, generate_series(14, {DAYS}, 14) as day;
analyze marts.fct_usage_daily, ml.pricing_recommendations;
"""
RECOMMENDATION = "select * from ml.pricing_recommendations where company_id = %s order by as_of desc limit 1"
USAGE = "select * from marts.fct_usage_daily where company_id = %s and usage_date > %s and usage_date <= %s"


@benchmark("marts.point_read_p95", "ms", at_most(10))
def point_read_p95(bench: Workbench) -> float:
    """The latest recommendation and 14 days of one company among 10,000, through one connection that stays open.

    As `bi_reader` where that role may read both, else as the owner.
    """
    bench.step("Writing what is read ...")
    url = bench.new_database()
    dbt_runner.invoke(["seed"], url)
    dbt_runner.invoke(["run", "--empty", "--select", "tag:usage"], url, WINDOW)
    with Warehouse(url).connect() as connection:
        connection.execute(ROWS.encode())
        bench.settle()
        if _may_read(connection):
            connection.execute(f"set role {ROLE}".encode())
        companies = Random(1).choices(range(1, COMPANIES + 1), k=READS)
        took = [seconds(lambda found=company: _read(connection, found)) for company in companies]
    bench.drop_database(url)
    return 1000 * quantiles(took, n=20)[-1]


def _may_read(connection: psycopg.Connection) -> bool:
    query = """
        select has_table_privilege(oid, 'marts.fct_usage_daily', 'select')
            and has_table_privilege(oid, 'ml.pricing_recommendations', 'select')
        from pg_roles where rolname = %s
    """
    return connection.execute(query.encode(), [ROLE]).fetchone() == (True,)


def _read(connection: psycopg.Connection, company_id: int) -> Sequence[tuple[Any, ...]]:
    recommendation = connection.execute(RECOMMENDATION.encode(), [company_id]).fetchall()
    usage = connection.execute(USAGE.encode(), [company_id, LAST_DATE - timedelta(days=14), LAST_DATE]).fetchall()
    if (len(recommendation), len(usage)) != (1, 28):
        raise RuntimeError(f"Company {company_id} has {len(recommendation)} recommendations and {len(usage)} days.")
    return usage
