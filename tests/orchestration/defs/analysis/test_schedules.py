"""The daily analysis waits for the first marts."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.resources import resources


def test_on_a_new_database_nothing_is_analysed(pipeline):
    schedule = pipeline.driver.definitions.resolve_schedule_def("daily_analysis_schedule")
    with dg.build_schedule_context(
        instance=pipeline.instance, resources=resources, scheduled_execution_time=datetime(2026, 10, 5, 13, tzinfo=UTC)
    ) as context:
        tick = schedule.evaluate_tick(context)
    assert (tick.run_requests, tick.skip_message) == ([], "The marts were not built yet.")
