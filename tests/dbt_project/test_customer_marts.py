"""Customers, conversion, value, peers and the history of usage, in one small world that is built three times."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from orchestration.analysis_inputs import read_activity, read_inputs
from orchestration.partitions import range_tags
from tests.feeds import PLANS, company, event, lines, subscription

NOW = datetime(2026, 10, 5, 6, tzinfo=UTC)
PEERS = [f"peer-{number}" for number in range(1, 6)]
COMPANIES = [company(), *(company(key, industry="law") for key in PEERS)]
VISIT = {"type": "appointment", "customer": "c-1", "service": "cut", "outcome": "completed", "currency": "EUR"}
EVENTS = [
    event("1", "2026-10-01T09:00:00+02:00"),
    event("2", "2026-10-01T22:00:00+02:00", customer="c-2", outcome="failure"),
    event("3", "2026-10-01T22:30:00+02:00", customer=None, outcome="missed"),
    event("4", "2026-10-01T10:00:00+02:00", **VISIT, revenue=60),
    event("5", "2026-10-03T09:00:00+02:00"),
    event("6", "2026-10-03T09:10:00+02:00", customer="c-3"),
    event("7", "2026-10-03T10:00:00+02:00", **VISIT, revenue=40),
    event("8", "2026-10-02T09:10:00+02:00", type="session", customer="s-1", duration_seconds=90),
    event("9", "2026-10-02T11:20:00+02:00", type="session", customer="s-1", duration_seconds=30),
    event("10", "2026-10-02T09:30:00+02:00", type="storage", quantity=40),
    *(event(f"{key}-call", "2026-10-01T09:00:00+02:00", key, duration_seconds=60) for key in PEERS),
]
CORRECTIONS = [
    event("11", "2026-10-02T12:00:00+02:00", customer="c-3"),
    event("void", "2026-10-02T13:00:00+02:00", type="void", voids="4"),
]
TABLES = (
    "fct_conversion",
    "fct_customers_daily",
    "fct_value",
    "fct_usage_history",
    "fct_peer_benchmarks",
    "daily_usage_summary",
    "dim_companies",
)
CUSTOMERS = """
    select usage_date::text, unique_customers, new_customers, returning_customers, customer_revenue::int,
        lifetime_customers, lifetime_revenue::int, lifetime_value::text
    from marts.fct_customers_daily join marts.dim_companies using (company_id)
    where company_key = 'acme' order by usage_date
"""


@pytest.fixture(scope="module")
def first(module_pipeline):
    """A company with calls, visits and sessions, and five peers with a call each, built once."""
    module_pipeline.set_clock(NOW)
    module_pipeline.land("companies", "companies.ndjson", lines(*COMPANIES))
    module_pipeline.land("plans", "plans.yaml", PLANS)
    module_pipeline.land("subscriptions", "subscriptions.ndjson", lines(subscription()))
    module_pipeline.land("events", "events.ndjson", lines(*EVENTS))
    module_pipeline.tick("landing_files_sensor", "changed_usage_dates_sensor")
    return module_pipeline


@pytest.fixture(scope="module")
def customers_before(first):
    return first.rows(CUSTOMERS)


@pytest.fixture(scope="module")
def world(first, customers_before):
    """The same after a late event and a void, by a build of their two dates alone."""
    first.land("events", "corrections.ndjson", lines(*CORRECTIONS))
    first.tick("landing_files_sensor")
    due = first.rows("select usage_date::text from ops.usage_date_state where built_version < dirty_version order by 1")
    assert due == [("2026-10-01",), ("2026-10-02",)]
    first.tick("changed_usage_dates_sensor")
    return first


def test_a_customer_is_new_once_and_a_day_without_any_has_a_row(customers_before):
    assert customers_before == [
        ("2026-10-01", 2, 2, 0, 60, 2, 60, "30.00"),
        ("2026-10-02", 1, 1, 0, 0, 3, 60, "20.00"),
        ("2026-10-03", 2, 1, 1, 40, 4, 100, "25.00"),
        ("2026-10-04", 0, 0, 0, 0, 4, 100, "25.00"),
        ("2026-10-05", 0, 0, 0, 0, 4, 100, "25.00"),
    ]


def test_a_late_event_and_a_void_change_who_is_new_on_days_that_had_no_change(world):
    assert world.rows(CUSTOMERS) == [
        ("2026-10-01", 2, 2, 0, 0, 2, 0, "0.00"),
        ("2026-10-02", 2, 2, 0, 0, 4, 0, "0.00"),
        ("2026-10-03", 2, 0, 2, 40, 4, 40, "10.00"),
        ("2026-10-04", 0, 0, 0, 0, 4, 40, "10.00"),
        ("2026-10-05", 0, 0, 0, 0, 4, 40, "10.00"),
    ]


def test_one_build_of_all_dates_gives_what_the_builds_of_some_gave(world):
    before = world.fingerprint(*(f"marts.{table}" for table in TABLES))
    world.driver.run("usage_marts_job", range_tags(date(2026, 10, 1), date(2026, 10, 5)))
    assert world.fingerprint(*before) == before


def test_calls_that_were_not_won_are_lost_and_all_calls_are_there(world):
    found = world.rows(
        """
        select local_hour, service, channel, total_calls, lost_opportunities, lost_after_hours, completed_appointments,
            total_revenue::int, conversion.currency
        from marts.fct_conversion as conversion join marts.dim_companies using (company_id)
        where company_key = 'acme' and (usage_date = '2026-10-01' or service = 'cut') order by usage_date, 1
        """
    )
    assert found == [
        (9, "unknown", "unknown", 1, 0, 0, 0, 0, "EUR"),
        (22, "unknown", "unknown", 2, 2, 2, 0, 0, "EUR"),
        (10, "cut", "unknown", 0, 0, 0, 1, 40, "EUR"),
    ]
    assert world.value("select sum(total_calls) from marts.fct_conversion") == world.value(
        "select sum(total_calls) from marts.fct_usage_daily"
    )


def test_value_counts_the_minutes_of_each_outcome_and_only_types_of_the_list(world):
    found = world.rows(
        """
        select event_type, sum(count_events), sum(time_saved_minutes)::int
        from marts.fct_value join marts.dim_companies using (company_id)
        where company_key = 'acme' group by 1 order by 1
        """
    )
    assert found == [("appointment", 1, 3), ("call", 6, 4 * 4 + 1)]


def test_the_history_has_hours_with_usage_every_day_and_months_in_the_companys_own_time(world):
    found = world.rows(
        """
        select period_type, period_start at time zone 'UTC', period_end - period_start, sessions_created,
            audio_minutes_processed::text, unique_clients, storage_used_mb::int, plan_name, plan_limits
        from marts.fct_usage_history join marts.dim_companies using (company_id)
        where company_key = 'acme' and last_date <> '2026-10-03' order by period_type desc, period_start
        """
    )
    plan = ("per_minute", {"call_seconds": 30_000})
    spans = [(kind, f"{start:%d %H}", span.total_seconds() / 3600, *rest) for kind, start, span, *rest in found]
    assert spans == [
        ("monthly", "30 22", 31 * 24 + 1, 2, "2.00", 1, 40, *plan),
        ("hourly", "02 07", 1, 1, "1.50", 1, None, *plan),
        ("hourly", "02 09", 1, 1, "0.50", 1, None, *plan),
        ("daily", "30 22", 24, 0, "0.00", 0, None, *plan),
        ("daily", "01 22", 24, 2, "2.00", 1, 40, *plan),
        ("daily", "03 22", 24, 0, "0.00", 0, 40, *plan),
        ("daily", "04 22", 24, 0, "0.00", 0, 40, *plan),
    ]
    plans = world.rows(
        "select distinct plan_name, plan_limits"
        " from marts.fct_usage_history join marts.dim_companies using (company_id)"
        " where company_key <> 'acme'"
    )
    assert plans == [(None, None)]


def test_peers_are_shown_from_five_on_and_never_by_company(world):
    found = world.rows("select industry, meter, count_companies, quantity_median::int from marts.fct_peer_benchmarks")
    assert sorted(found) == [
        ("law", "business_hours_call_seconds", 5, 60),
        ("law", "call_seconds", 5, 60),
        ("law", "calls", 5, 1),
        ("law", "customers", 5, 1),
        ("law", "peak_call_seconds", 5, 60),
    ]
    assert not world.rows(
        "select from information_schema.columns where table_name = 'fct_peer_benchmarks' and column_name = 'company_id'"
    )


def test_the_summary_shows_what_adds_up(world):
    found = world.rows(
        """
        select metric_type, event_count, total_value::int, avg_value::int
        from marts.daily_usage_summary join marts.dim_companies using (company_id)
        where company_key = 'acme' and usage_date = '2026-10-02' order by metric_type
        """
    )
    assert found == [
        ("audio_seconds", 2, 120, 60),
        ("business_hours_call_seconds", 1, 120, 120),
        ("call_seconds", 1, 120, 120),
        ("calls", 1, 1, 1),
        ("peak_call_seconds", 1, 120, 120),
        ("sessions", 2, 2, 1),
    ]


def test_the_collection_is_as_far_as_its_slower_half(world):
    found = world.rows(
        """
        select lifecycle_day, lifecycle_phase, days_collected, days_remaining, data_points_collected,
            collection_progress::text
        from marts.dim_companies where company_key = 'acme'
        """
    )
    assert found == [(4, "collecting", 4, 10, 10, "0.1000")]


def test_the_analysis_of_activity_needs_no_events(world):
    with world.connect() as connection, connection.transaction(force_rollback=True):
        inputs = read_inputs(connection, date(2026, 10, 5), NOW)
        connection.execute("delete from raw.usage_events")
        activity = read_activity(connection, inputs.span).sort_values("company_id").reset_index(drop=True)
    columns = ["unique_customers", "returning_customers", "distinct_services", "total_revenue"]
    expected = pd.DataFrame([[4, 2, 1, 40.0], *([[1, 0, 0, 0.0]] * 5)], columns=columns)
    pd.testing.assert_frame_equal(activity[columns], expected, check_dtype=False)
