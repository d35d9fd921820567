"""The marts of periods and places: two companies in two zones, over a clock change and a month end."""

from datetime import UTC, date, datetime

import pytest

from orchestration.dbt_runner import invoke
from orchestration.partitions import range_tags
from tests.feeds import company, event, lines

NOW = datetime(2026, 11, 4, 10, tzinfo=UTC)
COMPANIES = (
    company(activated_at="2026-10-06T00:00:00+02:00"),
    company(
        "desh",
        country="IN",
        time_zone="Asia/Kolkata",
        currency="INR",
        activated_at="2026-10-20T00:00:00+05:30",
        locale="en",
    ),
)
NORTH = {"company": "acme", "branch": "north", "name": "North"}
BRANCHES = (
    {"company": "acme", "branch": "main", "name": "Main", "city": "Berlin", "valid_from": "2026-10-06T00:00:00+02:00"},
    {**NORTH, "city": "Hamburg", "region": "Hamburg", "valid_from": "2026-10-20T00:00:00+02:00"},
    {**NORTH, "city": "Kiel", "region": "Schleswig-Holstein", "valid_from": "2026-11-02T00:00:00+01:00"},
)
EVENTS = (
    event("1", "2026-10-06T09:00:00+02:00", branch="main"),
    event("2", "2026-10-25T02:30:00+02:00", branch="main"),
    event("3", "2026-10-25T02:30:00+01:00", branch="main"),
    event("4", "2026-10-25T23:30:00+01:00", branch="north", customer="c-2"),
    event("5", "2026-10-26T09:00:00+01:00", branch="main"),
    event("6", "2026-10-27T09:00:00+01:00", branch="main"),
    event("7", "2026-10-31T23:30:00+01:00", branch="north"),
    event("8", "2026-11-01T00:30:00+01:00", branch="main", customer="c-3"),
    event("9", "2026-11-02T09:00:00+01:00", branch="main"),
    event("10", "2026-11-02T10:00:00+01:00", branch="north", outcome="failure"),
    event("11", "2026-11-03T10:00:00+01:00", branch="north", customer="c-2"),
    event("12", "2026-11-03T11:00:00+01:00", type="appointment", customer="c-1", revenue=80.5, currency="EUR"),
    event("13", "2026-11-04T08:00:00+01:00", branch="main", duration_seconds=90),
    event("20", "2026-10-31T20:00:00Z", "desh", customer="c-1"),
    event("21", "2026-11-03T18:00:00Z", "desh", customer="c-1"),
    event("22", "2026-11-03T19:00:00Z", "desh", customer="c-1"),
)
TABLES = [
    f"marts.fct_{name}" for name in ("usage_weekly", "usage_monthly", "usage_heatmap", "usage_summary", "geography")
]
CHECKS = {
    "usage_days_are_the_sums_of_their_hours",
    "each_active_branch_and_each_one_with_usage_has_one_row_per_day",
    "usage_weeks_are_the_sums_of_their_days",
    "usage_months_are_the_sums_of_their_days",
    "heatmap_cells_are_the_sums_of_their_hours",
    "places_are_the_sums_of_their_branches",
}


@pytest.fixture(scope="module")
def built(module_pipeline):
    module_pipeline.set_clock(NOW)
    module_pipeline.land("companies", "companies.ndjson", lines(*COMPANIES))
    module_pipeline.land("branches", "branches.ndjson", lines(*BRANCHES))
    module_pipeline.land("events", "events.ndjson", lines(*EVENTS))
    module_pipeline.tick("landing_files_sensor", "changed_usage_dates_sensor")
    return module_pipeline


def of(pipeline, key: str, table: str, columns: str, condition: str = "true") -> list[tuple]:
    """Columns of a company's rows in a mart, in their order."""
    return pipeline.rows(
        f"select {columns} from marts.{table} inner join raw.company_ids using (company_id)"
        f" where company_key = '{key}' and {condition} order by {columns}"
    )


def failing_checks(pipeline, first: str, end: str) -> set[str]:
    window = {"USAGE_WINDOW_START": first, "USAGE_WINDOW_END": end, "USAGE_KNOWN_AT": NOW.isoformat()}
    arguments = ["test", "--select", "test_name:adds_up_to", "test_name:has_one_row_per"]
    results = invoke(arguments, pipeline.warehouse.url, window)
    assert {result.node.name for result in results} == CHECKS
    return {result.node.name for result in results if str(result.status) != "pass"}


def test_every_date_is_built_and_every_check_has_passed(built):
    assert built.value("select count(*) from ops.usage_date_state where built_version < dirty_version") == 0
    assert failing_checks(built, "2026-10-06", "2026-11-05") == set()


def test_a_week_runs_over_the_month_end_and_its_customers_are_counted_anew(built):
    columns = "usage_week::text, iso_year, iso_week, sum(count_days), sum(count_complete_days), sum(total_calls)"
    found = built.rows(
        f"select {columns} from marts.fct_usage_weekly inner join raw.company_ids using (company_id)"
        " where company_key = 'acme' group by 1, 2, 3 having sum(total_calls) > 0 order by 1"
    )
    assert [row[:3] for row in found] == [
        ("2026-10-05", 2026, 41),
        ("2026-10-19", 2026, 43),
        ("2026-10-26", 2026, 44),
        ("2026-11-02", 2026, 45),
    ]
    assert [row[5] for row in found] == [1, 3, 4, 4]
    assert found[3][3:5] == (7, 5)  # two branches on three days, one of them running, and a day without a branch
    columns = "total_calls, unique_customers, total_minutes::text, conversion_rate::text, calls_per_day::text"
    north = "usage_week = '2026-11-02' and total_calls = 2 and total_appointments = 0 and failed_bookings = 1"
    assert of(built, "acme", "fct_usage_weekly", columns, north) == [(2, 2, "4.00", "50.00", "1.000000")]


def test_a_running_month_is_compared_by_its_complete_days(built):
    columns = "usage_month::text, count_days, count_complete_days, total_calls, calls_on_complete_days"
    change = ", round(calls_per_day, 4)::text, calls_change_mom::text, calls_change_yoy, trend"
    assert of(built, "desh", "fct_usage_monthly", columns + change) == [
        ("2026-10-01", 12, 12, 0, 0, "0.0000", None, None, None),
        ("2026-11-01", 4, 3, 3, 2, "0.6667", None, None, None),
    ]
    main = of(built, "acme", "fct_usage_monthly", columns + change, "conversion_rate = 100 and total_calls in (3, 5)")
    assert main == [
        ("2026-10-01", 26, 26, 5, 5, "0.1923", None, None, None),
        ("2026-11-01", 4, 3, 3, 2, "0.6667", "2.4667", None, "up"),
    ]


def test_a_cell_of_the_heatmap_is_per_weekday_and_an_hour_that_occurs_twice_is_one(built):
    columns = "local_hour, total_events, total_calls, count_days, events_per_day::text"
    sundays = "usage_month = '2026-10-01' and iso_weekday = 7"
    assert of(built, "acme", "fct_usage_heatmap", columns, sundays) == [(2, 2, 2, 3, "0.6667"), (23, 1, 1, 3, "0.3333")]
    november = "iso_weekday, local_hour, total_events, count_days"
    assert of(built, "desh", "fct_usage_heatmap", november) == [(2, 23, 1, 1), (3, 0, 1, 1), (7, 1, 1, 1)]


def test_usage_is_where_its_branch_was_at_the_end_of_the_month(built):
    columns = (
        "usage_month::text, country, region, city, count_branches, total_calls, share_of_calls::text, unique_customers"
    )
    assert of(built, "acme", "fct_geography", columns + ", total_revenue::text, currency") == [
        ("2026-10-01", "DE", "Hamburg", "Hamburg", 1, 2, "0.2857", 2, "0.00", "EUR"),
        ("2026-10-01", "DE", "unknown", "Berlin", 1, 5, "0.7143", 1, "0.00", "EUR"),
        ("2026-11-01", "DE", "Schleswig-Holstein", "Kiel", 1, 2, "0.4000", 2, "0.00", "EUR"),
        ("2026-11-01", "DE", "unknown", "Berlin", 1, 3, "0.6000", 2, "0.00", "EUR"),
        ("2026-11-01", "DE", "unknown", "unknown", 0, 0, "0.0000", 1, "80.50", "EUR"),
    ]
    assert of(built, "desh", "fct_geography", columns) == [
        ("2026-10-01", "IN", "unknown", "unknown", 0, 0, None, 0),
        ("2026-11-01", "IN", "unknown", "unknown", 0, 3, "1.0000", 1),
    ]


def test_the_summary_stands_at_each_companys_own_today(built):
    periods = "known_at, usage_date::text, usage_week::text, usage_month::text"
    assert of(built, "desh", "fct_usage_summary", periods) == [(NOW, "2026-11-04", "2026-11-02", "2026-11-01")]
    calls = "today_calls, week_calls, month_calls, today_minutes::text, month_unique_customers, week_bookings"
    trend = ", week_calls_change::text, week_trend, month_elapsed_days::text, month_projected_calls::text"
    assert of(built, "acme", "fct_usage_summary", calls + trend) == [
        (1, 4, 5, "1.50", 3, 3, "0.5000", "up", "3.4583", "43.37")
    ]
    assert of(built, "desh", "fct_usage_summary", calls + trend) == [
        (1, 2, 3, "2.00", 1, 2, None, None, "3.6458", "24.69")
    ]


def test_checks_find_what_does_not_add_up_in_their_window_and_builds_in_any_order_mend_it(built):
    before = built.fingerprint("marts.fct_usage_daily", *TABLES)
    for tampering in (
        "update marts.fct_usage_daily set total_seconds = total_seconds + 1 where usage_date = '2026-10-06'",
        "delete from marts.fct_usage_daily where usage_date = '2026-10-22' and total_events = 0",
        "update marts.fct_usage_heatmap set total_events = total_events + 1 where iso_weekday = 2 and local_hour = 9",
        "update marts.fct_geography set total_calls = total_calls - 1 where city = 'Hamburg'",
        "update marts.fct_usage_monthly set calls_per_day = 9 where usage_month = '2026-10-01'",
    ):
        built.warehouse.execute(tampering)
    assert failing_checks(built, "2026-10-06", "2026-11-05") == CHECKS
    assert failing_checks(built, "2026-11-02", "2026-11-03") == set()
    for first, last in ((date(2026, 10, 29), date(2026, 11, 4)), (date(2026, 10, 5), date(2026, 10, 28))):
        built.driver.run("usage_marts_job", range_tags(first, last))
    assert built.fingerprint(*before) == before
