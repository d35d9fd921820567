"""The rules of the alerts: what is told, when, and under which key."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.messaging.alerts import failed_run, high_failure_rates, loads_to_settle

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def load(load_id=1, status="published", at=NOON, read=100, rejected=0, **fields):
    return {
        "load_id": load_id,
        "feed": "events",
        "file_name": f"{load_id}.ndjson",
        "status": status,
        "message": None,
        "count_read": read,
        "count_rejected": rejected,
        "received_at": at,
        **fields,
    }


def windows(loads, minutes=5):
    return [alert.about for alert in high_failure_rates(loads, NOON + timedelta(minutes=minutes))]


@pytest.mark.parametrize(
    ("count_bad", "status", "is_told"),
    [(1, "failed", False), (2, "failed", True), (2, "held", True), (2, "discarded", False)],
)
def test_more_than_a_tenth_of_the_loads_that_failed_or_wait_is_told(count_bad, status, is_told):
    loads = [load(i, status if i < count_bad else "published") for i in range(10)]
    assert bool(windows(loads)) is is_told


@pytest.mark.parametrize(("rejected", "is_told"), [(20, False), (21, True)])
def test_more_than_a_tenth_of_the_lines_refused_is_told(rejected, is_told):
    assert bool(windows([load(1, read=150, rejected=rejected), load(2, read=50)])) is is_told


def test_the_warning_says_what_happened_in_which_minutes():
    loads = [load(1, "held", read=1000, rejected=300), load(2, read=1000), load(3, read=0)]
    (alert,) = high_failure_rates(loads, NOON + timedelta(minutes=5))
    assert (alert.key, alert.severity) == ("AL-01:2026-11-20T12:00:00+00:00", "warning")
    assert "2026-11-20 12:00 to 12:05 UTC" in alert.body
    assert "1 of 3 loads failed or wait (33.3%); 300 of 2,000 lines were refused (15.0%)" in alert.body


def test_a_window_begins_at_full_five_minutes_and_does_not_hold_its_end():
    before, first, last, after = (NOON + timedelta(seconds=seconds) for seconds in (-1, 0, 299, 300))
    assert windows([load(status="failed", at=first)]) == windows([load(status="failed", at=last)])
    both = [load(1, "failed", at=before), load(2, "failed", at=after)]
    assert windows(both, minutes=10) == ["2026-11-20T11:55:00+00:00", "2026-11-20T12:05:00+00:00"]


def test_a_window_is_judged_once_it_is_over_and_for_a_day():
    failed = [load(status="failed")]
    told = {minutes: bool(windows(failed, minutes)) for minutes in (4.99, 5, 24 * 60 + 5, 24 * 60 + 5.01)}
    assert list(told.values()) == [False, True, True, False]


def test_a_load_that_failed_or_waits_is_critical_and_says_what_to_do():
    loads = [load(1), load(2, "held", message="20 of 60 lines were refused"), load(3, "failed"), load(4, "discarded")]
    held, failed = loads_to_settle(loads)
    assert [(alert.key, alert.severity) for alert in (held, failed)] == [
        ("AL-04:load:2", "critical"),
        ("AL-04:load:3", "critical"),
    ]
    assert "20 of 60 lines were refused" in held.body
    assert "release or discard" in held.body
    assert "Mend the file" in failed.body


def test_a_failed_run_is_critical_and_named():
    alert = failed_run("ingestion_job", "abc", "the disk is full")
    assert (alert.key, alert.severity, alert.subject) == ("AL-04:run:abc", "critical", "A run of ingestion_job failed")
    assert "the disk is full" in alert.body
