"""The checks at the raw boundary, run as the jobs run them."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from integrations.events.feeds import load_feed
from integrations.events.loader import load_events
from orchestration.driver import RunFailed
from tests.feeds import company, event, lines

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def evaluation(pipeline):
    """The latest evaluation of a check."""

    def find(asset: str, name: str) -> dg.AssetCheckEvaluation:
        key = dg.AssetCheckKey(dg.AssetKey(["raw", asset]), name)
        latest = pipeline.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)[0]
        return latest.event.dagster_event.asset_check_evaluation_data

    return find


@pytest.mark.long
def test_a_feed_that_breaks_its_suite_stops_the_run_until_it_is_mended(pipeline, evaluation):
    pipeline.land("companies", "companies.ndjson", lines(company("acme"), company("york")))
    pipeline.land("events", "events.ndjson", lines(event("1", "2026-11-02T09:00:00Z")))
    with pipeline.connect() as connection:
        load_feed(connection, "companies", pipeline.landing / "companies/companies.ndjson", START)
        connection.execute("update raw.companies set country = 'x1' where name = 'York'")
    with pytest.raises(RunFailed):
        pipeline.tick("landing_files_sensor")
    found = evaluation("companies", "companies_keep_their_suite")
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    summary = found.metadata["expectations"].value
    assert summary.startswith("Suite **companies**: 2 rows checked, 1 of ")
    assert "| **no**: a country is two capital letters | 1 | 50.00% | x1 |" in summary
    assert pipeline.rows("select status, is_checked from raw.loads") == [("published", False)]

    with pipeline.connect() as connection:
        connection.execute("update raw.companies set country = 'US' where name = 'York'")
    pipeline.tick("landing_files_sensor")
    assert evaluation("companies", "companies_keep_their_suite").passed
    assert pipeline.rows("select feed, is_checked from raw.loads order by 1") == [("companies", True), ("events", True)]

    pipeline.driver.run("ingestion_job")
    again = evaluation("companies", "companies_keep_their_suite")
    assert (again.passed, again.metadata["rows"].value) == (True, 0)


@pytest.mark.long
def test_a_fault_of_one_company_is_warned_of_until_it_is_corrected_and_keeps_nobody_waiting(pipeline, evaluation):
    pipeline.land("companies", "wrong.ndjson", lines(company("acme"), company("york", locale="Klingon")))
    pipeline.land("events", "events.ndjson", lines(event("1", "2026-11-02T09:00:00Z")))
    pipeline.tick("landing_files_sensor")
    found = evaluation("companies", "companies_keep_their_suite")
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "| 1 | 50.00% | Klingon |" in found.metadata["expectations"].value
    assert pipeline.value("select count(*) from raw.usage_events") == 1

    pipeline.land("companies", "right.ndjson", lines(company("york", locale="en")))
    pipeline.tick("landing_files_sensor")
    assert evaluation("companies", "companies_keep_their_suite").passed


def test_a_source_that_falls_silent_and_a_day_that_is_far_too_small_are_warned_of(pipeline, evaluation):
    with pipeline.connect() as connection:
        load_feed(connection, "companies", pipeline.land("companies", "a.ndjson", lines(company())), START)
    for day in range(30):
        noon = START + timedelta(days=day)
        count = 1 if day == 28 else 40
        calls = [event(f"{day}-{i}", noon.isoformat()) for i in range(count)]
        path = pipeline.land("events", f"{day}.ndjson", lines(*calls))
        with pipeline.connect() as connection:
            load_events(connection, path, noon)
        if day == 27:
            pipeline.set_clock(noon)
            pipeline.driver.run("source_health_job")
            assert evaluation("usage_events", "sources_deliver_as_often_as_usual").passed
            assert evaluation("usage_events", "sources_deliver_as_much_as_usual").passed

    pipeline.set_clock(START + timedelta(days=29, hours=49))
    pipeline.driver.run("source_health_job")
    silent = evaluation("usage_events", "sources_deliver_as_often_as_usual")
    small = evaluation("usage_events", "sources_deliver_as_much_as_usual")
    assert [(found.passed, found.severity) for found in (silent, small)] == [(False, dg.AssetCheckSeverity.WARN)] * 2
    assert "| /phone | 2026-12-01 09:00 UTC | 49 | 48 | silent |" in silent.metadata["sources"].value
    assert "| /phone | 2026-11-30 | 1 | 40 |" in small.metadata["sources"].value
