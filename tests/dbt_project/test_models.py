"""The dbt project: its unit tests, its second build, and the window without which it does nothing."""

import os
from datetime import UTC, date, datetime

import pytest

from orchestration import dbt
from orchestration.dbt_runner import invoke
from orchestration.partitions import range_tags
from tests.feeds import company, event, lines

NOW = datetime(2026, 10, 5, 6, tzinfo=UTC)
WINDOW = {"USAGE_WINDOW_START": "2026-10-01", "USAGE_WINDOW_END": "2026-10-03"}
EVENTS = (
    event("1", "2026-10-01T09:00:00+02:00"),
    event("2", "2026-10-01T09:30:00+02:00", customer="c-2", duration_seconds=60, outcome="failure"),
    event("3", "2026-10-02T22:00:00+02:00"),
    event("4", "2026-10-01T10:00:00+02:00", type="appointment", revenue=80.5, currency="EUR", outcome="completed"),
)


@pytest.fixture
def landed(pipeline):
    pipeline.set_clock(NOW)
    pipeline.land("companies", "companies.ndjson", lines(company()))
    pipeline.land("events", "events.ndjson", lines(*EVENTS))
    pipeline.tick("landing_files_sensor")
    return pipeline


def build(pipeline, first: str, last: str) -> None:
    pipeline.driver.run("usage_marts_job", range_tags(date.fromisoformat(first), date.fromisoformat(last)))


def test_the_unit_tests_of_the_models_pass(pipeline, database_url):
    invoke(["seed"], database_url)
    invoke(["run", "--empty"], database_url, WINDOW)
    results = invoke(["test", "--select", "test_type:unit"], database_url, WINDOW)
    assert len(results) == len(dbt.manifest()["unit_tests"]) >= 7
    assert {str(result.status) for result in results} == {"pass"}, [
        result.message for result in results if str(result.status) != "pass"
    ]


def test_without_a_window_nothing_is_built_and_nothing_is_wiped(landed, database_url):
    landed.tick("changed_usage_dates_sensor")
    before = landed.fingerprint("marts.fct_usage_daily", "marts.fct_usage_hourly")
    results = invoke(["run", "--select", "tag:usage"], database_url)
    assert "USAGE_WINDOW_START and USAGE_WINDOW_END are not set" in " ".join(str(result.message) for result in results)
    assert landed.fingerprint(*before) == before


def test_a_second_build_changes_nothing_and_one_of_another_day_leaves_the_first_alone(landed):
    landed.tick("changed_usage_dates_sensor")
    tables = [
        f"marts.{name}"
        for name in ("fct_usage_hourly", "fct_usage_daily", "fct_usage_monthly", "fct_meter_usage_daily")
    ]
    before = landed.fingerprint(*tables)
    build(landed, "2026-10-01", "2026-10-05")
    assert landed.fingerprint(*tables) == before
    build(landed, "2026-10-02", "2026-10-02")
    assert landed.fingerprint(*tables) == before


def test_a_rebuild_removes_what_vanished_and_adds_columns_that_the_contract_has_gained(landed):
    landed.tick("changed_usage_dates_sensor")
    landed.warehouse.execute("delete from raw.usage_events where usage_date = '2026-10-01'")
    landed.warehouse.execute("alter table marts.fct_usage_hourly drop column after_hours_seconds")
    build(landed, "2026-10-01", "2026-10-01")
    assert landed.rows("select usage_date::text, local_hour from marts.fct_usage_hourly") == [("2026-10-02", 22)]
    assert landed.rows("select after_hours_seconds from marts.fct_usage_hourly") == [(None,)]  # not of the rebuilt date
    assert landed.value("select total_calls from marts.fct_usage_daily where usage_date = '2026-10-01'") == 0


def test_a_first_build_is_one_run_whose_every_column_is_right_up_to_today(landed):
    runs = landed.tick("changed_usage_dates_sensor")
    assert len(runs) == 1
    assert len(landed.instance.get_materialized_partitions(dbt.model_key("fct_usage_daily"))) == 5
    found = landed.rows(
        """
        select total_calls, total_minutes::text, total_seconds, successful_bookings, failed_bookings, unique_customers,
            total_revenue::text, currency, peak_hour_calls, after_hours_calls, avg_call_duration::text,
            conversion_rate::text
        from marts.fct_usage_daily where usage_date in ('2026-10-01', '2026-10-02') order by usage_date
        """
    )
    assert found == [
        (2, "3.00", 180, 1, 1, 2, "80.50", "EUR", 2, 0, "1.50", "50.00"),
        (1, "2.00", 120, 1, 0, 1, "0.00", "EUR", 1, 1, "2.00", "100.00"),
    ]
    days = landed.rows("select usage_date::text, total_calls from marts.fct_usage_daily order by usage_date")
    assert days[2:] == [("2026-10-03", 0), ("2026-10-04", 0), ("2026-10-05", 0)]


@pytest.mark.long
def test_a_late_event_makes_its_date_due_again_and_a_void_that_of_its_event(landed):
    landed.tick("changed_usage_dates_sensor")
    landed.land("events", "late.ndjson", lines(event("5", "2026-10-02T12:00:00+02:00")))
    landed.tick("landing_files_sensor")
    due = landed.rows("select usage_date::text from ops.usage_date_state where built_version < dirty_version")
    assert due == [("2026-10-02",)]
    assert len(landed.tick("changed_usage_dates_sensor")) == 1
    assert landed.value("select total_calls from marts.fct_usage_daily where usage_date = '2026-10-02'") == 2

    landed.land("events", "void.ndjson", lines(event("v", "2026-10-04T12:00:00+02:00", type="void", voids="2")))
    landed.tick("landing_files_sensor", "changed_usage_dates_sensor")
    calls = landed.rows(
        "select usage_date::text, total_calls from marts.fct_usage_daily where total_calls > 0 order by 1"
    )
    assert calls == [("2026-10-01", 1), ("2026-10-02", 2)]
    totals = landed.rows("select usage_date::text, total_events from marts.fct_event_lateness order by 1")
    assert totals == [("2026-10-01", 2), ("2026-10-02", 2)]


def test_every_model_and_column_is_described():
    nodes = [n for n in dbt.manifest()["nodes"].values() if n["resource_type"] in ("model", "seed")]
    silent = [n["name"] for n in nodes if not n["description"]]
    silent += [f"{n['name']}.{c['name']}" for n in nodes for c in n["columns"].values() if not c["description"]]
    assert len(nodes) > 10
    assert not silent


def test_the_environment_is_left_as_it_was(pipeline, database_url):
    before = dict(os.environ)
    invoke(["ls"], database_url, WINDOW)
    assert dict(os.environ) == before
