"""The night's run moves old months into the archive, and says what and where."""

from datetime import UTC, date, datetime

from integrations.events.feeds import load_feed
from integrations.events.loader import load_events
from integrations.postgres.usage_dates import capture_versions, mark_built
from tests.feeds import company, event, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_run_says_how_many_events_of_which_dates_went_where(pipeline, tmp_path):
    pipeline.set_clock(NOW)
    calls = [event(str(number), f"2026-07-0{5 + number // 2}T09:00:00+02:00") for number in range(3)]
    with pipeline.connect() as connection:
        load_feed(connection, "companies", pipeline.land("unseen", "c.ndjson", lines(company())), NOW)
        load_events(connection, pipeline.land("unseen", "e.ndjson", lines(*calls)), NOW)
        mark_built(connection, capture_versions(connection, date(2026, 7, 1), date(2026, 7, 31)))
    job = pipeline.driver.definitions.resolve_job_def("retention_job")
    result = job.execute_in_process(instance=pipeline.instance)
    (output,) = (e.step_output_data for e in result.all_node_events if e.is_successful_output)
    assert {name: value.value for name, value in output.metadata.items()} == {
        "dates": ["2026-07-05", "2026-07-06"],
        "rows": 3,
        "where": str(tmp_path / "archive"),
    }
    messages = [entry.user_message for entry in pipeline.instance.all_logs(result.run_id)]
    assert f"2026-07-05: 2 events are in {tmp_path / 'archive'}/usage_events/2026-07/2026-07-05.parquet" in messages
    assert pipeline.value("select count(*) from raw.usage_events") == 0
