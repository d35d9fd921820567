"""Six practices of which one falls silent, one has a burst and one stops: from events to what is said about them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.feeds import PLANS, company, event, lines, subscription

START, DAYS = date(2026, 10, 1), 34  # to 3 November; All Saints is no public holiday of the whole of Germany
pytestmark = pytest.mark.long
PRACTICES = [f"practice-{number}" for number in range(6)]
LAST = START + timedelta(days=DAYS - 1)
STOPPED = LAST - timedelta(days=12)


def calls_on(number: int, day: date) -> int:
    if (number == 0 and day == LAST) or (number == 5 and day > STOPPED):
        return 0
    return 40 if number == 1 and day == LAST else 12


@pytest.fixture(scope="module")
def loaded(module_pipeline):
    pipeline = module_pipeline
    days = [START + timedelta(days=offset) for offset in range(DAYS)]
    pipeline.set_clock(datetime(2026, 11, 4, 20, tzinfo=UTC))
    pipeline.land("companies", "companies.ndjson", lines(*(company(key) for key in PRACTICES)))
    pipeline.land("plans", "plans.yaml", PLANS)
    pipeline.land("subscriptions", "subscriptions.ndjson", lines(*(subscription(key) for key in PRACTICES)))
    events = [
        event(f"{key}-{day}-{place}", f"{day}T{9 + place % 8:02d}:{place:02d}:00+01:00", key, duration_seconds=120)
        for number, key in enumerate(PRACTICES)
        for day in days
        for place in range(calls_on(number, day))
    ]
    pipeline.land("events", "events.ndjson", lines(*events))
    pipeline.tick("landing_files_sensor", "changed_usage_dates_sensor")
    return pipeline


@pytest.fixture(scope="module")
def too_early(loaded):
    """All events came in one load, so they use to come late: a day after its end the last ones may be missing."""
    loaded.driver.run("daily_analysis_job", partition=LAST.isoformat())
    return loaded.value("select count(*) from ml.usage_anomalies where usage_date = %s", LAST)


@pytest.fixture(scope="module")
def analysed(loaded, too_early):
    loaded.set_clock(datetime(2026, 11, 8, 20, tzinfo=UTC))
    loaded.driver.run("daily_analysis_job", partition=LAST.isoformat())
    return loaded


def test_a_day_whose_events_may_still_come_is_no_outage(too_early):
    assert too_early == 0


def test_the_silent_and_the_busy_day_are_found(analysed):
    found = analysed.rows(
        "select companies.company_key, anomalies.meter, anomalies.kind, anomalies.usage_date, anomalies.quantity"
        " from ml.usage_anomalies as anomalies inner join marts.dim_companies as companies using (company_id)"
        " order by 1, 2"
    )
    assert found == [
        ("practice-0", "call_seconds", "outage", LAST, 0),
        ("practice-0", "calls", "outage", LAST, 0),
        ("practice-1", "call_seconds", "burst", LAST, 4800),
        ("practice-1", "calls", "burst", LAST, 40),
    ]  # What has been silent for twelve days is no outage of this day any more.


def test_the_practice_that_stopped_is_at_risk(analysed):
    levels = dict(
        analysed.rows(
            "select company_key, level from ml.churn_risks inner join marts.dim_companies using (company_id)"
            " where as_of = %s",
            LAST + timedelta(days=1),
        )
    )
    assert levels == {key: "high" if key == "practice-5" else "low" for key in PRACTICES}


def test_peers_are_told_once_a_month_and_only_where_five_are_left(analysed):
    rows = analysed.rows(
        "select as_of, industry, volume_category, count_companies from ml.peer_benchmarks"
        " where measure = 'calls_per_day' order by industry, volume_category"
    )
    published = date(2026, 11, 1)
    assert [row[:2] + row[3:] for row in rows[:1]] == [(published, "all", 6)]
    before = analysed.fingerprint("ml.peer_benchmarks")
    analysed.driver.run("daily_analysis_job", partition=(LAST - timedelta(days=1)).isoformat())
    assert analysed.fingerprint("ml.peer_benchmarks") == before


def test_a_second_run_changes_nothing(analysed):
    tables = "select company_id, meter, kind, score from ml.usage_anomalies order by 1, 2"
    before = analysed.rows(tables)
    analysed.driver.run("daily_analysis_job", partition=LAST.isoformat())
    assert analysed.rows(tables) == before
