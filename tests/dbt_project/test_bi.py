"""What dashboards read: every query of BI.md runs as the role of BI tools, and reads marts that an exposure names."""

import re
from datetime import UTC, datetime

import psycopg
import pytest
import sqlglot
from typer.testing import CliRunner

from orchestration import dbt, paths
from tests.feeds import PLANS, company, event, lines, subscription

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
GUIDE = (paths.DBT_PROJECT / "BI.md").read_text()
SECTION = re.compile(r"^## (?P<title>.+?)\n(?:.*?)```sql\n(?P<query>.*?);\n```", re.MULTILINE | re.DOTALL)
QUERIES = [(found["title"], found["query"]) for found in SECTION.finditer(GUIDE)]
# The pricing page, element 12, shows nothing that the marts hold.
ELEMENTS = set(range(1, 14)) - {12}

# Two companies have too few peers, have not decided yet, and were advised less than 30 days ago.
EMPTY = {
    "DA-11 Peers: where the company stands among its industry",
    "QT-05 What those who accepted are expected to save in a month, and what they saved",
    "What recommendations came to, beside simple ways of choosing",
}
LONG_AGO = "2026-08-01T00:00:00+02:00"


def test_every_element_has_a_query_and_every_query_is_found():
    assert {int(title[3:5]) for title, _ in QUERIES if title.startswith("DA-")} == ELEMENTS
    assert len(QUERIES) == GUIDE.count("```sql")


def test_every_mart_is_read_by_a_dashboard_and_every_mart_of_a_query_exists():
    marts = {
        node["name"]
        for node in dbt.manifest()["nodes"].values()
        if node["resource_type"] in ("model", "seed") and node["schema"] == "marts"
    }
    read = {table.name for _, query in QUERIES for table in tables(query)}
    assert read <= marts
    exposed = {
        unique_id.rpartition(".")[2]
        for exposure in dbt.manifest()["exposures"].values()
        for unique_id in exposure["depends_on"]["nodes"]
    }
    assert exposed <= marts
    assert read - exposed <= {"dim_branches", "companies_history", "fct_event_lateness"}


def tables(query: str) -> list[sqlglot.exp.Table]:
    return [table for table in sqlglot.parse_one(query, dialect="postgres").find_all(sqlglot.exp.Table) if table.db]


@pytest.fixture(scope="module")
def world(module_pipeline):
    """A company of three weeks whose day 14 has passed, what it was recommended, and an older one whose usage grew."""
    pipeline = module_pipeline
    pipeline.set_clock(NOW)
    pipeline.land("plans", "plans.yaml", PLANS)
    pipeline.land("companies", "companies.ndjson", lines(company(), company("bolt", activated_at=LONG_AGO)))
    subscriptions = (subscription(), subscription("bolt", valid_from=LONG_AGO))
    pipeline.land("subscriptions", "subscriptions.ndjson", lines(*subscriptions))
    events = [event(str(day), f"2026-10-{day:02}T09:00:00+02:00", duration_seconds=60 * day) for day in range(1, 20)]
    events += [event(f"8{day}", f"2026-08-0{day}T09:00:00+02:00", "bolt", duration_seconds=36000) for day in (1, 2)]
    events += [event(f"9{day}", f"2026-09-0{day}T09:00:00+02:00", "bolt", duration_seconds=72000) for day in (1, 2)]
    pipeline.land("events", "events.ndjson", lines(*events))
    pipeline.warehouse.execute("update ops.settings set value = '2026-10-01' where name = 'go_live_date'")
    # Billing before the recommendations, whose run renews the reports.
    first = ("landing_files_sensor", "changed_usage_dates_sensor", "billing_sync_sensor")
    pipeline.tick(*first, "day_7_insights_sensor", "day_14_recommendations_sensor")
    return pipeline


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[title for title, _ in QUERIES])
def test_the_query_runs_as_a_bi_tool(world, title, query):
    with psycopg.connect(world.warehouse.url) as connection:
        connection.execute("set local role bi_reader")
        cursor = connection.execute(query.encode())
        assert cursor.description
        assert cursor.fetchall() or title in EMPTY


def test_two_widgets_that_show_the_same_show_the_same_figure(world):
    projected = world.rows(
        "select summary.month_projected_minutes, round(period.projected_quantity / 60, 2)"
        " from marts.fct_usage_summary as summary inner join marts.fct_billing_period_usage as period"
        " using (company_id) where company_id = 1 and period.is_current and period.meter = 'call_seconds'"
    )
    assert len(projected) == 1
    assert projected[0][0] == projected[0][1] > 0
    booked = world.rows(
        "select company_id, usage_period, sum(amount) from billing.rated_usage group by 1, 2 order by 1, 2"
    )
    assert len(booked) >= 3
    assert world.rows("select company_id, usage_month, amount from marts.fct_costs order by 1, 2") == booked
    statements = "select company_id, invoice_period, total_amount from marts.fct_statements order by 1, 2"
    assert world.rows(statements) == booked


def test_the_documentation_is_one_page_that_names_every_mart(world, tmp_path, monkeypatch):
    from orchestration.cli import app

    monkeypatch.setenv("USAGE_PRICING_LOCAL", str(tmp_path))
    result = CliRunner().invoke(app, ["docs"])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "docs/index.html").read_text()
    marts = [node["name"] for node in dbt.manifest()["nodes"].values() if node["schema"] == "marts"]
    assert [name for name in marts if name not in page] == []
