"""A load above the threshold waits: no run builds anything from it, neither its own nor a later one."""

from contextlib import suppress
from datetime import UTC, datetime

import dagster as dg
import pytest

from integrations.events.holding import release_load
from orchestration.defs.ingestion.assets import RAW_EVENTS
from orchestration.driver import RunFailed
from tests.feeds import company, event, lines

GOOD = [event(f"good-{i}", "2026-10-01T09:00:00+02:00") for i in range(40)]
BROKEN = "not json\n" * 20


@pytest.mark.long
def test_a_held_load_is_in_no_mart_until_it_is_released(pipeline):
    pipeline.set_clock(datetime(2026, 10, 3, 6, tzinfo=UTC))
    pipeline.land("companies", "companies.ndjson", lines(company()))
    pipeline.land("events", "fine.ndjson", lines(event("fine", "2026-10-02T09:00:00+02:00")))
    pipeline.land("events", "held.ndjson", lines(*GOOD) + BROKEN)

    with suppress(RunFailed):  # the blocking check may fail the run; what counts is what the tables hold
        pipeline.tick("landing_files_sensor")
    check = check_result(pipeline, "no_load_is_held")
    assert check.passed is False
    assert "held.ndjson" in check.metadata["loads"].value
    assert "20 of 60 lines (33.3%) were refused" in check.metadata["loads"].value

    pipeline.tick("changed_usage_dates_sensor")
    assert calls_per_day(pipeline) == {"2026-10-02": 1}
    pipeline.land("events", "later.ndjson", lines(event("later", "2026-10-01T10:00:00+02:00")))
    with suppress(RunFailed):
        pipeline.tick("landing_files_sensor")
    pipeline.tick("changed_usage_dates_sensor")
    assert calls_per_day(pipeline) == {"2026-10-01": 1, "2026-10-02": 1}

    with pipeline.connect() as connection:
        release_load(connection, pipeline.value("select load_id from raw.loads where status = 'held'"))
    pipeline.tick("changed_usage_dates_sensor")
    assert calls_per_day(pipeline) == {"2026-10-01": 41, "2026-10-02": 1}
    pipeline.driver.run("ingestion_job")
    assert check_result(pipeline, "no_load_is_held").passed is True


def calls_per_day(pipeline) -> dict[str, int]:
    return dict(pipeline.rows("select usage_date::text, total_calls from marts.fct_usage_daily where total_calls > 0"))


def check_result(pipeline, name: str) -> dg.AssetCheckEvaluation:
    """The latest evaluation of a check on the raw events."""
    key = dg.AssetCheckKey(RAW_EVENTS, name)
    latest = pipeline.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)[0]
    return latest.event.dagster_event.asset_check_evaluation_data
