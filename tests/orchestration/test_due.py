"""A sensor asks once at a time, again after a failure, and for nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.defs.ingestion import assets as ingestion
from orchestration.driver import RunFailed
from orchestration.due import due_key, may_try
from tests.feeds import company, lines

NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)


def test_the_same_set_has_the_same_key_in_any_order():
    assert due_key(["a", "b"]) == due_key(["b", "a"])
    assert due_key(["a", "b"]) != due_key(["a"])


@pytest.mark.parametrize(
    ("attempts", "minutes_ago", "allowed"),
    [
        (0, 0, True),
        (1, 0, True),
        (2, 0.9, False),
        (2, 1, True),
        (4, 3.9, False),
        (4, 4, True),
        (50, 59, False),
        (50, 60, True),
    ],
)
def test_the_first_retry_comes_at_once_and_later_ones_wait_longer(attempts, minutes_ago, allowed):
    assert may_try(attempts, NOON - timedelta(minutes=minutes_ago), NOON) is allowed


def test_when_the_first_run_fails_the_next_tick_recovers(pipeline, monkeypatch):
    pipeline.land("companies", "companies.ndjson", lines(company()))
    with monkeypatch.context() as broken:
        broken.setattr(ingestion, "load_file", lambda *_, **__: 1 / 0)
        with pytest.raises(RunFailed, match="division by zero"):
            pipeline.tick("landing_files_sensor")
    assert pipeline.value("select count(*) from raw.companies") == 0
    assert len(pipeline.tick("landing_files_sensor")) == 1
    assert pipeline.value("select count(*) from raw.companies") == 1
    assert pipeline.value("select attempts from ops.run_attempts") == 2


def test_nothing_due_asks_for_nothing(pipeline):
    assert pipeline.tick() == []


def test_while_a_run_is_under_way_the_sensor_asks_for_no_other(pipeline, monkeypatch):
    pipeline.land("companies", "companies.ndjson", lines(company()))
    asked = []
    original = ingestion.load_file

    def load_and_tick(*arguments, **options):
        asked.append(pipeline.tick("landing_files_sensor"))
        return original(*arguments, **options)

    monkeypatch.setattr(ingestion, "load_file", load_and_tick)
    assert len(pipeline.tick("landing_files_sensor")) == 1
    assert asked == [[]]


def test_a_landing_folder_that_vanished_is_an_error_and_not_an_empty_folder(pipeline):
    pipeline.landing.rmdir()
    with pytest.raises(Exception, match=r"landing folder .* does not exist"):
        pipeline.tick("landing_files_sensor")
