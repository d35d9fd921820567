"""A load with too many bad lines waits for a person."""

import pytest

from integrations.events.holding import HoldRule, discard_load, release_load
from integrations.events.ledger import LoadReport
from integrations.postgres.usage_dates import dirty_dates
from tests.integrations.events.test_loader import calls, counts

BAD = "not json\n"


def statuses(connection):
    return dict(connection.execute("select file_name, status from raw.loads where feed = 'events'").fetchall())


def number_of(connection, table):
    return connection.execute(f"select count(*) from raw.{table}".encode()).fetchone()[0]


@pytest.fixture
def held(load, write):
    """A held load of the events 1 to 4 (4 twice, and once with another content) beside ten bad lines."""
    report = load(write("held.ndjson", calls(1, 2, 3, 4, 4), calls(4, duration_seconds=1), BAD * 10))
    assert report.status == "held"
    return report


@pytest.mark.parametrize(
    ("read", "rejected", "filtered", "holds"),
    [
        (0, 0, 0, False),
        (9, 9, 0, False),
        (10, 10, 0, True),
        (20, 9, 0, False),
        (200, 10, 0, False),
        (199, 10, 0, True),
        (1000, 50, 0, False),
        (1000, 51, 0, True),
        (1000, 10, 801, True),
        (1000, 10, 800, False),
    ],
)
def test_a_load_waits_above_a_twentieth_of_refused_lines_but_never_for_a_handful(read, rejected, filtered, holds):
    report = LoadReport("events", "x", read=read, rejected=rejected, filtered=filtered)
    HoldRule().judge(report)
    assert (report.status == "held") is holds


@pytest.mark.parametrize(("rejected", "message"), [(0, None), (5, None), (6, "6 of 1,000 lines (0.6%) were refused")])
def test_above_a_two_hundredth_a_load_says_so_and_is_published(rejected, message):
    report = LoadReport("events", "x", read=1500, rejected=rejected, filtered=500)
    HoldRule().judge(report)
    assert (report.status, report.message) == ("published", message)


def test_the_thresholds_are_settings():
    assert HoldRule.from_settings({}) == HoldRule(0.005, 0.05)
    assert HoldRule.from_settings({"LOAD_WARN_ABOVE": "0", "LOAD_HOLD_ABOVE": "0.2"}) == HoldRule(0, 0.2)


@pytest.mark.parametrize("written", ["5 %", "1.01", "-0.1", "nan"])
def test_a_threshold_that_is_no_share_is_an_error_that_names_it(written):
    with pytest.raises(ValueError, match=r"LOAD_HOLD_ABOVE is .*; set it to a share between 0 and 1, such as 0\.05\."):
        HoldRule.from_settings({"LOAD_HOLD_ABOVE": written})


@pytest.mark.parametrize("good", [0, 1, 30])
def test_a_small_file_is_never_held_by_a_handful_of_bad_lines(load, write, good):
    report = load(write("x.ndjson", calls(*range(good)), BAD * 9))
    assert (report.status, report.inserted, report.rejected) == ("published", good, 9)


def test_of_a_held_load_nothing_counts(known, held, rejected):
    assert counts(held) == (16, 6, 0, 10, 0)
    assert held.message == "10 of 16 lines (62.5%) were refused; the load waits for its release"
    assert [number_of(known, name) for name in ("usage_events", "event_keys", "held_events")] == [0, 0, 6]
    assert dirty_dates(known) == []
    assert {reason for _, _, reason, _ in rejected()} == {"malformed_json"}


def test_a_held_file_that_comes_again_still_waits(load, held, tmp_path):
    again = load(tmp_path / "held.ndjson")
    assert (again.status, again.is_new, again.load_id) == ("held", False, held.load_id)


def test_a_released_load_is_published_like_any_other(known, held, stored, rejected):
    report = release_load(known, held.load_id)
    assert (report.status, counts(report), report.usage_dates) == ("published", (16, 4, 1, 11, 0), ["2026-11-02"])
    assert [id for id, _ in stored()] == ["1", "2", "3", "4"]
    assert ("held.ndjson", 6, "conflict", "id") in rejected()
    assert number_of(known, "held_events") == 0
    assert [str(date) for date in dirty_dates(known)] == ["2026-11-02"]
    assert statuses(known) == {"held.ndjson": "published"}


def test_events_that_were_sent_again_before_the_release_count_once(known, held, load, write, stored):
    load(write("later.ndjson", calls(1, 5), calls(2, duration_seconds=7)))
    report = release_load(known, held.load_id)
    assert counts(report) == (16, 2, 2, 12, 0)
    assert stored() == [("1", 120), ("2", 7), ("3", 120), ("4", 120), ("5", 120)]


def test_events_that_are_sent_again_after_the_release_are_duplicates(known, held, load, write):
    release_load(known, held.load_id)
    assert counts(load(write("later.ndjson", calls(1, 2, 3, 4)))) == (4, 0, 4, 0, 0)


def test_a_discarded_load_goes_to_quarantine_as_a_whole(known, held, rejected):
    report = discard_load(known, held.load_id)
    assert (report.status, counts(report)) == ("discarded", (16, 0, 0, 16, 0))
    assert [reason for _, _, reason, _ in rejected()] == ["discarded"] * 6 + ["malformed_json"] * 10
    assert [number_of(known, name) for name in ("usage_events", "event_keys", "held_events")] == [0, 0, 0]
    assert statuses(known) == {"held.ndjson": "discarded"}


def test_what_was_discarded_may_come_again_in_another_file(known, held, load, write):
    discard_load(known, held.load_id)
    assert load(write("better.ndjson", calls(1, 2))).inserted == 2


def test_a_discarded_file_is_not_tried_again(known, held, load, tmp_path):
    discard_load(known, held.load_id)
    again = load(tmp_path / "held.ndjson")
    assert (again.status, again.is_new) == ("discarded", False)


def test_a_failed_load_that_was_taken_note_of_keeps_its_sentence(known, load, write):
    report = load(write("x.ndjson", calls(1).encode("utf-16")))
    discard_load(known, report.load_id)
    row = known.execute("select status, message from raw.loads where load_id = %s", [report.load_id]).fetchone()
    assert row == ("discarded", "x.ndjson is UTF-16; convert it to UTF-8")


@pytest.mark.parametrize("settle", [release_load, discard_load])
def test_a_load_that_does_not_wait_is_named(known, held, load, write, settle):
    published = load(write("x.ndjson", calls(1)))
    for load_id in (published.load_id, 999_999):
        with pytest.raises(LookupError, match=f"Load {load_id} does not wait.*loads list"):
            settle(known, load_id)


@pytest.mark.parametrize("settle", [release_load, discard_load])
def test_a_load_is_settled_once(known, held, settle):
    settle(known, held.load_id)
    with pytest.raises(LookupError, match="does not wait"):
        release_load(known, held.load_id)


def test_a_release_that_fails_leaves_the_load_waiting(known, held, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("power cut")

    monkeypatch.setattr("integrations.events.holding.close_load", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        release_load(known, held.load_id)
    assert statuses(known) == {"held.ndjson": "held"}
    assert [number_of(known, name) for name in ("usage_events", "event_keys", "held_events")] == [0, 0, 6]
    assert dirty_dates(known) == []
