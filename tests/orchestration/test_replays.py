"""Refused lines are judged again by a job, after somebody has mended the cause."""

import os
from datetime import UTC, datetime

import pytest

from integrations.events.feeds import load_feed
from integrations.events.landing import landing_files, load_file, pending_files
from orchestration.catalogue import PRICES
from tests.feeds import company, event, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MAPPING = """
time_zone: Europe/Berlin
time: {columns: [at], format: "%d.%m.%Y %H:%M"}
event: {id: "{no}", source: /desk, type: call, subject: "{who}", data: {duration_seconds: "{seconds}"}}
"""
TABLE = "no,who,at,seconds\n1,ACME,05.11.2026 09:00,60\n"


@pytest.fixture
def load(pipeline):
    """Load what waits in the landing folder, without checks and marts; gives the ids of the loads."""
    pipeline.set_clock(NOW)
    pipeline.land("companies", "acme.ndjson", lines(company()))

    def load():
        with pipeline.connect() as connection:
            files = pending_files(connection, landing_files(pipeline.landing))
            return {file.name: load_file(connection, file, NOW, PRICES).load_id for file in files}

    return load


@pytest.fixture
def replay(pipeline):
    """Run the job; gives the ids of the stored events, and what went wrong."""

    def run(*loads: int):
        config = {"ops": {"replay_rejected": {"config": {"loads": list(loads)}}}} if loads else {}
        job = pipeline.driver.definitions.resolve_job_def("replay_rejected_job")
        result = job.execute_in_process(instance=pipeline.instance, run_config=config, raise_on_error=False)
        errors = [e.step_failure_data.error.cause.message for e in result.all_node_events if e.is_step_failure]
        stored = [id for (id,) in pipeline.rows("select event_id from raw.usage_events order by 1")]
        return stored, "".join(errors)

    return run


def test_all_loads_are_replayed_and_their_dates_become_due(pipeline, load, replay):
    for name in ("a", "b"):
        pipeline.land("events", f"{name}.ndjson", lines(event(name, "2026-11-05T09:00:00+01:00", "late-co")))
    load()
    assert replay() == ([], "")
    with pipeline.connect() as connection:
        path = pipeline.land("companies", "late.ndjson", lines(company("late-co")))
        load_feed(connection, "companies", path, NOW)
    assert replay() == (["a", "b"], "")
    due = pipeline.rows("select usage_date::text from ops.usage_date_state where built_version < dirty_version")
    assert due == [("2026-11-05",)]


def test_a_load_that_fails_is_named_and_stops_no_other(pipeline, load, replay):
    pipeline.land("events", "a.ndjson", lines(event("a", "2026-11-05T09:00:00+01:00", "late-co")))
    refused = load()["a.ndjson"]
    pipeline.land("companies", "late.ndjson", lines(company("late-co")))
    load()
    stored, error = replay(999_999, refused)
    assert stored == ["a"]
    assert "Not every load could be replayed: load 999999: Load 999999 is no published load of events" in error


def test_rows_are_read_by_the_mapping_that_lies_beside_their_file_today(pipeline, load, replay):
    mapping = pipeline.land("events", "desk/mapping.yaml", MAPPING)
    pipeline.land("events", "desk/calls.csv", TABLE)
    load()
    assert replay() == ([], "")
    mapping.write_text(MAPPING + "values: {subject: {ACME: acme}}\n")
    assert replay() == (["1"], "")


def test_rows_of_a_file_that_is_gone_are_read_by_the_mapping_of_their_load(pipeline, load, replay):
    pipeline.land("events", "desk/mapping.yaml", MAPPING)
    path = pipeline.land("events", "desk/calls.csv", TABLE)
    load()
    os.remove(path)
    pipeline.land("companies", "big.ndjson", lines(company("ACME")))
    load()
    assert replay() == (["1"], "")


def test_a_mapping_with_a_fault_fails_its_load_in_words(pipeline, load, replay):
    mapping = pipeline.land("events", "desk/mapping.yaml", MAPPING)
    pipeline.land("events", "desk/calls.csv", TABLE)
    load()
    mapping.write_text("time: no\n")
    stored, error = replay()
    assert stored == []
    assert "mapping.yaml" in error
