"""What goes wrong reaches the operators by itself, once."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from orchestration.defs.ingestion import assets as ingestion
from orchestration.defs.operations.sensors import run_failure_alert_sensor
from orchestration.driver import RunFailed
from orchestration.resources import WarehouseResource
from tests.feeds import company, event, lines

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def told(pipeline):
    return pipeline.rows("select alert_key, severity, state from messaging.operator_alerts order by alert_key")


def test_a_run_that_failed_is_told_once_with_its_reason(pipeline, monkeypatch):
    pipeline.set_clock(NOON)
    pipeline.land("companies", "companies.ndjson", lines(company()))
    monkeypatch.setattr(ingestion, "load_file", lambda *_, **__: 1 / 0)
    with pytest.raises(RunFailed):
        pipeline.tick("landing_files_sensor")
    (run,) = pipeline.instance.get_runs()
    failure = next(
        record.event_log_entry.dagster_event
        for record in pipeline.instance.get_records_for_run(run.run_id).records
        if record.event_log_entry.dagster_event_type == dg.DagsterEventType.RUN_FAILURE
    )
    for _ in range(2):
        context = dg.build_run_status_sensor_context(
            sensor_name="run_failure_alert_sensor",
            dagster_event=failure,
            dagster_instance=pipeline.instance,
            dagster_run=run,
            resources={"db": WarehouseResource()},
        )
        run_failure_alert_sensor(context.for_run_failure())
    assert told(pipeline) == [(f"AL-04:run:{run.run_id}", "critical", "dry_run")]
    (line,) = (pipeline.outbox / "operators/alerts.jsonl").read_text().splitlines()
    alert = json.loads(line)
    assert alert["subject"] == "A run of ingestion_job failed"
    assert alert["raised_at"] == NOON.isoformat()
    assert "raw__companies: ZeroDivisionError: division by zero" in alert["body"]


def test_loads_that_wait_or_failed_and_their_five_minutes_are_told_once(pipeline):
    pipeline.set_clock(NOON)
    pipeline.land("companies", "companies.ndjson", lines(company()))
    calls = lines(*(event(str(number), "2026-11-19T09:00:00Z") for number in range(20)))
    pipeline.land("events", "held.ndjson", calls + "nonsense\n" * 15)
    assert pipeline.tick("load_alert_sensor") == []
    assert told(pipeline) == []

    with pytest.raises(RunFailed):
        pipeline.tick("landing_files_sensor")
    held = pipeline.value("select load_id from raw.loads where status = 'held'")
    pipeline.tick("load_alert_sensor")
    assert told(pipeline) == [(f"AL-04:load:{held}", "critical", "dry_run")]
    pipeline.set_clock(NOON + timedelta(minutes=5))
    for _ in range(2):
        pipeline.tick("load_alert_sensor")
    assert told(pipeline) == [
        (f"AL-01:{NOON.isoformat()}", "warning", "dry_run"),
        (f"AL-04:load:{held}", "critical", "dry_run"),
    ]
