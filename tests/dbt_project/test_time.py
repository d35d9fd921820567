"""Days as companies live them: clock changes, odd zones, days that are not over, pauses, and companies that move."""

from datetime import UTC, date, datetime, timedelta

import pytest

from integrations.postgres.usage_dates import capture_versions, mark_built, open_calendar
from orchestration.dbt_runner import invoke
from tests.dbt_project.builds import build_usage, load_landed
from tests.feeds import PLANS, company, event, lines, subscription

EVENING = datetime(
    2026, 12, 31, 10, 30, tzinfo=UTC
)  # half past eleven at night in Auckland, half past two in California
AFTER_AUCKLAND = datetime(2026, 12, 31, 11, 30, tzinfo=UTC)
AFTER_CALIFORNIA = datetime(2027, 1, 1, 8, 30, tzinfo=UTC)
ZONES = {
    "berlin": "Europe/Berlin",
    "kolkata": "Asia/Kolkata",
    "kathmandu": "Asia/Kathmandu",
    "lord": "Australia/Lord_Howe",
    "auckland": "Pacific/Auckland",
    "california": "America/Los_Angeles",
    "azores": "Atlantic/Azores",  # midnight comes twice when summer time ends
}
START = "2026-03-20T00:00:00Z"
MOVE = "2026-11-12T00:00:00-05:00"
MAPPING = """
time_zone: Europe/Berlin
time: {columns: [time], format: "%Y-%m-%d %H:%M"}
event: {id: "{id}", source: /diary, type: call, subject: berlin, data: {duration_seconds: "{seconds}"}}
"""
DIARY = """id,time,seconds
before the gap,2026-03-29 01:59,1
in the gap,2026-03-29 02:30,10
after the gap,2026-03-29 03:00,100
"""
EVENTS = (
    event("first of two", "2026-10-25T02:30:00+02:00", "berlin", duration_seconds=5),
    event("second of two", "2026-10-25T02:30:00+01:00", "berlin", duration_seconds=7),
    event("last of the long day", "2026-10-25T23:59:59+01:00", "berlin"),
    event("next day", "2026-10-26T00:00:00+01:00", "berlin"),
    event("half", "2026-06-30T18:30:00Z", "kolkata"),
    event("just before half", "2026-06-30T18:29:59Z", "kolkata"),
    event("three quarters", "2026-06-30T18:15:00Z", "kathmandu"),
    event("just before three quarters", "2026-06-30T18:14:59Z", "kathmandu"),
    event("first half hour of two", "2026-04-04T14:45:00Z", "lord"),
    event("second half hour of two", "2026-04-04T15:15:00Z", "lord"),
    event("in euros", "2026-11-11T12:00:00+01:00", "mover", type="appointment", revenue=30, currency="EUR"),
    event("in dollars", "2026-11-12T22:00:00-05:00", "mover", type="appointment", revenue=20, currency="USD"),
    event("dollars too early", "2026-11-11T12:00:00+01:00", "mover", type="appointment", revenue=1, currency="USD"),
    event("euros too late", "2026-11-12T12:00:00-05:00", "mover", type="appointment", revenue=1, currency="EUR"),
    event("first half hour past midnight", "2026-10-25T00:30:00+00:00", "azores", duration_seconds=1),
    event("second half hour past midnight", "2026-10-25T00:30:00-01:00", "azores", duration_seconds=10),
    event("last second before the peak", "2026-10-25T07:59:59-01:00", "azores", duration_seconds=100),
    event("first second of the peak", "2026-10-25T08:00:00-01:00", "azores", duration_seconds=1_000),
    event("last second of the peak", "2026-10-25T19:59:59-01:00", "azores", duration_seconds=10_000),
    event("first second after the peak", "2026-10-25T20:00:00-01:00", "azores", duration_seconds=60_000),
    event("last week of the year", "2026-12-28T12:00:00+01:00", "berlin"),
    event("as many as can be", "2026-12-29T12:00:00+01:00", "berlin", type="concurrency", quantity=99_999_999_999_998),
    event("as much as can be", "2026-12-29T12:00:00+01:00", "berlin", type="seat_change", quantity=99_999_999_999_998),
)
CHANGES = (
    *(("trial", "2026-06-01"), ("cancelled", "2026-06-10"), ("active", "2026-06-20")),
    *(("cancelled", "2026-06-25"), ("cancelled", "2026-06-28")),
)


@pytest.fixture(scope="module")
def built(module_pipeline):
    """Everything landed, and built at three instants of the last night of the year; with what the sensor asked for."""
    companies = [company(key, time_zone=zone, activated_at=START) for key, zone in ZONES.items()]
    companies += [company(key, activated_at="2026-06-01T00:00:00+02:00") for key in ("pauser", "quiet", "growing")]
    companies += [
        company("mover", activated_at=START),
        company("mover", activated_at=START, valid_from="2026-11-12T00:00:00+01:00", currency="USD"),
        company("mover", activated_at=START, valid_from=MOVE, time_zone="America/New_York", currency="USD"),
    ]
    branch = {"company": "growing", "branch": "annexe", "name": "Annexe", "valid_from": "2026-06-04T23:30:00+02:00"}
    changes = [
        subscription("pauser", valid_from=f"{day}T12:00:00+02:00", status=status, plan="combined")
        for status, day in CHANGES
    ]
    module_pipeline.land("companies", "companies.ndjson", lines(*companies))
    module_pipeline.land("branches", "branches.ndjson", lines(branch))
    module_pipeline.land("plans", "plans.yaml", PLANS)
    module_pipeline.land("subscriptions", "subscriptions.ndjson", lines(*changes))
    module_pipeline.land("events", "events.ndjson", lines(*EVENTS))
    module_pipeline.land("events", "diary/mapping.yaml", MAPPING)
    module_pipeline.land("events", "diary/diary.csv", DIARY)
    load_landed(module_pipeline, EVENING)
    invoke(["seed"], module_pipeline.warehouse.url)
    build_before(module_pipeline, EVENING.date())
    module_pipeline.nights = [build_at(module_pipeline, now) for now in (EVENING, AFTER_AUCKLAND, AFTER_CALIFORNIA)]
    return module_pipeline


def build_before(pipeline, end: date) -> None:
    """Build all dates before `end` without Dagster, which would write an event for each date and mart."""
    with pipeline.connect() as connection:
        open_calendar(connection, end - timedelta(days=1))
        versions = capture_versions(connection, date.min, end)
        build_usage(pipeline, min(versions), end, EVENING)
        mark_built(connection, versions)


def build_at(pipeline, now: datetime) -> dict[str, object]:
    """Set the clock, tick twice; what was run, and for whom the last day of the year is complete."""
    pipeline.set_clock(now)
    runs, again = (pipeline.tick("changed_usage_dates_sensor") for _ in range(2))
    dates = [
        pipeline.instance.get_run_by_id(run).tags[f"dagster/asset_partition_range_{edge}"]
        for run in runs
        for edge in ("start", "end")
    ]
    complete = pipeline.rows(
        "select company_key, is_day_complete from marts.fct_usage_daily join raw.company_ids using (company_id)"
        " where usage_date = '2026-12-31' and company_key in ('auckland', 'california')"
    )
    return {"dates": dates, "again": again, "complete": dict(complete)}


def days(pipeline, key: str, columns: str, first: str, last: str) -> list[tuple]:
    """Columns of the daily mart of a company without its branches, from the first date to the last, both included."""
    return pipeline.rows(
        f"select usage_date::text, {columns} from marts.fct_usage_daily join raw.company_ids using (company_id)"
        " where company_key = %s and branch_id = 0 and usage_date between %s and %s order by usage_date",
        key,
        first,
        last,
    )


def hours(pipeline, key: str, day: str) -> list[tuple]:
    return pipeline.rows(
        "select local_hour, total_calls, total_seconds from marts.fct_usage_hourly"
        " join raw.company_ids using (company_id) where company_key = %s and usage_date = %s order by local_hour",
        key,
        day,
    )


@pytest.mark.parametrize(
    ("key", "day", "hours_in_day", "day_ends_at"),
    [
        ("berlin", "2026-03-30", "24.00", "2026-03-30T22:00Z"),
        ("berlin", "2026-03-29", "23.00", "2026-03-29T22:00Z"),
        ("berlin", "2026-10-25", "25.00", "2026-10-25T23:00Z"),
        ("kolkata", "2026-03-29", "24.00", "2026-03-29T18:30Z"),
        ("kathmandu", "2026-03-29", "24.00", "2026-03-29T18:15Z"),
        ("lord", "2026-04-05", "24.50", "2026-04-05T13:30Z"),
        ("lord", "2026-10-04", "23.50", "2026-10-04T13:00Z"),
        ("auckland", "2026-04-05", "25.00", "2026-04-05T12:00Z"),
        ("california", "2026-11-01", "25.00", "2026-11-02T08:00Z"),
        ("azores", "2026-10-24", "24.00", "2026-10-25T00:00Z"),
        ("azores", "2026-10-25", "25.00", "2026-10-26T01:00Z"),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(built, key, day, hours_in_day, day_ends_at):
    found = days(built, key, "hours_in_day::text, day_ends_at", day, day)
    assert found == [(day, hours_in_day, datetime.fromisoformat(day_ends_at))]


def test_an_hour_that_exists_twice_is_one_row_and_both_its_calls_count(built):
    assert hours(built, "berlin", "2026-10-25") == [(2, 2, 12), (23, 1, 120)]
    assert days(built, "berlin", "total_calls", "2026-10-25", "2026-10-26") == [("2026-10-25", 3), ("2026-10-26", 1)]


def test_peak_and_off_peak_are_the_whole_of_a_day_on_which_an_hour_exists_twice(built):
    found = built.rows(
        "select meter, quantity::int from marts.fct_meter_usage_daily join raw.company_ids using (company_id)"
        " where company_key = 'azores' and usage_date = '2026-10-25' and meter ~ 'call_seconds$'"
    )
    parts = {meter: seconds for meter, seconds in found if "peak" in meter}
    assert parts == {"peak_call_seconds": 11_000, "off_peak_call_seconds": 60_111}
    assert dict(found)["call_seconds"] == sum(parts.values())


def test_half_an_hour_that_exists_twice_is_in_the_hour_that_it_belongs_to(built):
    assert hours(built, "lord", "2026-04-05") == [(1, 2, 240)]


def test_a_time_that_does_not_exist_is_shifted_forward_and_flagged(built):
    assert hours(built, "berlin", "2026-03-29") == [(1, 1, 1), (3, 2, 110)]
    flagged = built.rows("select event_id, occurred_at from raw.usage_events where is_local_time_shifted")
    assert flagged == [("in the gap", datetime(2026, 3, 29, 1, 30, tzinfo=UTC))]


@pytest.mark.parametrize("key", ["kolkata", "kathmandu"])
def test_midnight_falls_where_an_odd_offset_puts_it(built, key):
    assert days(built, key, "total_calls", "2026-06-30", "2026-07-01") == [("2026-06-30", 1), ("2026-07-01", 1)]
    assert (hours(built, key, "2026-06-30"), hours(built, key, "2026-07-01")) == ([(23, 1, 120)], [(0, 1, 120)])


def test_a_day_is_complete_from_its_local_midnight_on_and_is_rebuilt_then_and_once(built):
    evening, after_auckland, after_california = built.nights
    assert evening["dates"] == ["2026-12-31", "2026-12-31"]
    assert evening["complete"] == {"auckland": False, "california": False}
    assert after_auckland["dates"] == ["2026-12-31", "2026-12-31"]
    assert after_auckland["complete"] == {"auckland": True, "california": False}
    assert after_california["dates"] == ["2026-12-31", "2027-01-01"]
    assert after_california["complete"] == {"auckland": True, "california": True}
    assert [night["again"] for night in built.nights] == [[], [], []]


def test_a_company_has_zero_rows_while_it_is_subscribed_and_none_while_it_is_not(built):
    found = [day for day, calls in days(built, "pauser", "total_calls", "2026-03-01", "2027-01-02")]
    active = [*range(1, 11), *range(20, 26)]
    assert found == [f"2026-06-{day:02}" for day in active]


def test_the_largest_readings_that_are_accepted_stop_no_build(built):
    largest = 99_999_999_999_998
    assert built.rows("select max(concurrent_sessions_peak) from marts.fct_usage_history") == [(largest,)]
    usage = "select quantity from marts.fct_meter_usage_daily where meter = 'seat_hours' and usage_date = '2026-12-30'"
    assert built.rows(usage) == [(24 * largest,)]


def test_a_company_without_any_event_has_zero_rows_from_its_activation_up_to_today(built):
    found = days(built, "quiet", "total_events, unique_customers", "2026-03-01", "2027-01-02")
    assert len(found) == (date(2027, 1, 1) - date(2026, 6, 1)).days + 1
    assert found[0] == ("2026-06-01", 0, 0)
    assert {row[1:] for row in found} == {(0, 0)}


def test_a_branch_has_rows_from_the_date_on_which_it_is_described_first_and_takes_the_place_of_none(built):
    found = built.rows(
        "select branch_id > 0, min(usage_date)::text, max(usage_date)::text, count(*) from marts.fct_usage_daily"
        " join raw.company_ids using (company_id) where company_key = 'growing' group by branch_id order by 1"
    )
    since = (date(2027, 1, 1) - date(2026, 6, 4)).days + 1
    assert found == [(False, "2026-06-01", "2026-06-03", 3), (True, "2026-06-04", "2027-01-01", since)]


def test_a_company_that_moves_keeps_the_currency_and_the_zone_of_its_past_days(built):
    columns = "currency, total_revenue::text, day_ends_at"
    assert days(built, "mover", columns, "2026-11-11", "2026-11-12") == [
        ("2026-11-11", "EUR", "30.00", datetime(2026, 11, 11, 23, tzinfo=UTC)),
        ("2026-11-12", "USD", "20.00", datetime(2026, 11, 13, 5, tzinfo=UTC)),
    ]


def test_a_month_of_two_currencies_has_no_sum_of_revenue_and_all_its_other_sums(built):
    found = built.rows(
        "select usage_month::text, count_days, total_revenue::text, currency from marts.fct_usage_monthly"
        " join raw.company_ids using (company_id)"
        " where company_key = 'mover' and usage_month between '2026-10-01' and '2026-12-01' order by usage_month"
    )
    expected = [("2026-10-01", 31, "0.00", "EUR"), ("2026-11-01", 30, None, None), ("2026-12-01", 31, "0.00", "USD")]
    assert found == expected


def test_a_currency_that_is_not_the_company_s_at_that_time_is_refused(built):
    refused = built.rows("select payload::jsonb ->> 'id', reason from raw.rejected_events order by line")
    assert refused == [("dollars too early", "currency_mismatch"), ("euros too late", "currency_mismatch")]
