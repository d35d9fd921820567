"""All events of a company in a time frame are replaced by those of a file, or nothing is."""

from datetime import UTC, date, datetime

import pytest

from integrations.events.archive import Archive
from integrations.events.frames import Frame, FrameRefused, replace_frame
from integrations.postgres.usage_dates import dirty_dates
from tests.feeds import event
from tests.integrations.events.conftest import NOW
from tests.integrations.events.test_loader import counts

FRAME = Frame("acme", datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 7, tzinfo=UTC))
BEFORE = event("before", "2026-10-04T23:59:59Z")
FIRST = event("first", "2026-10-05T00:00:00Z")
LAST = event("last", "2026-10-06T23:59:59Z")
AFTER = event("after", "2026-10-07T00:00:00Z")
OTHER = event("other", "2026-10-05T12:00:00Z", "york")


@pytest.fixture
def replace(known):
    return lambda path, frame=FRAME, **options: replace_frame(known, frame, path, NOW, **options)


@pytest.fixture
def filled(known, load, write):
    load(write("a.ndjson", BEFORE, FIRST, LAST, AFTER, OTHER))
    known.execute("update ops.usage_date_state set built_version = dirty_version")
    return known


@pytest.fixture
def snapshot(known):
    tables = ("usage_events", "event_keys", "voids", "rejected_events", "replaced_events", "loads")
    return lambda: [
        known.execute(f"select t::text from raw.{name} as t order by 1".encode()).fetchall() for name in tables
    ]


def test_the_file_takes_the_place_of_all_that_lies_in_the_frame(filled, replace, write, stored):
    report = replace(
        write(
            "b.ndjson", event("first", "2026-10-05T00:00:00Z", duration_seconds=7), event("new", "2026-10-06T08:00:00Z")
        )
    )
    assert counts(report) == (2, 2, 0, 0, 0)
    assert report.message == f"it replaced 2 events of {FRAME}"
    assert stored() == [("after", 120), ("before", 120), ("first", 7), ("new", 120), ("other", 120)]
    assert dirty_dates(filled) == [date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 7)]
    gone = filled.execute("select event_id, replaced_by from raw.replaced_events order by 1").fetchall()
    assert gone == [("first", report.load_id), ("last", report.load_id)]


def test_keys_go_with_their_events(filled, replace, load, write, stored):
    replace(write("b.ndjson", event("new", "2026-10-06T08:00:00Z")))
    report = load(write("c.ndjson", LAST, AFTER))
    assert (report.inserted, report.duplicate) == (1, 1)
    assert [id for id, _ in stored()] == ["after", "before", "last", "new", "other"]


def test_doing_it_twice_has_the_effect_of_once(filled, replace, write, snapshot):
    row = event("new", "2026-10-06T08:00:00Z")
    replace(write("b.ndjson", row))
    before = snapshot()
    assert not replace(write("other name.ndjson", row, row)).is_new
    assert snapshot() == before


def test_a_replacement_can_be_taken_back_and_repeated(filled, replace, load, write, stored):
    first, second = write("b.ndjson", FIRST, LAST), write("c.ndjson", event("new", "2026-10-06T08:00:00Z"))
    for path, ids in ((second, ["new"]), (first, ["first", "last"]), (second, ["new"])):
        assert replace(path).is_new
        assert [id for id, _ in stored() if id in ("first", "last", "new")] == ids
    load(write("late.ndjson", event("late", "2026-10-06T09:00:00Z")))
    assert replace(second).is_new
    assert "late" not in [id for id, _ in stored()]


def test_the_same_bytes_are_read_again_once_their_events_were_replaced(filled, replace, load, write, stored):
    replace(write("b.ndjson", ""))
    report = load(write("again.ndjson", BEFORE, FIRST, LAST, AFTER, OTHER))
    assert (report.inserted, report.duplicate) == (2, 3)
    assert [id for id, _ in stored()] == ["after", "before", "first", "last", "other"]


def test_a_void_of_an_archived_event_stays_until_its_month_is_back(known, load, replace, write, tmp_path, snapshot):
    load(write("a.ndjson", event("old", "2026-07-05T08:00:00Z")))
    load(write("b.ndjson", event("v", "2026-10-05T08:00:00Z", type="void", voids="old")))
    Archive(str(tmp_path / "archive")).archive(known, date(2026, 7, 5), NOW)
    before = snapshot()
    with pytest.raises(FrameRefused, match="Events of 2026-07 are archived"):
        replace(write("c.ndjson", ""))
    assert snapshot() == before


def test_an_empty_file_says_that_there_was_nothing(filled, replace, write, stored):
    assert counts(replace(write("b.ndjson", ""))) == (0, 0, 0, 0, 0)
    assert [id for id, _ in stored()] == ["after", "before", "other"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            [event("new", "2026-10-06T08:00:00Z"), "bad\n"],
            r"1 of its lines can't count\. line 2: the line is not one JSON",
        ),
        ([event("new", "2026-10-06T08:00:00Z"), AFTER], r"1 of its events lie outside, the first in line 2"),
        ([OTHER], r"1 of its events lie outside"),
        (
            [event("after", "2026-10-06T08:00:00Z")],
            r"1 of its lines can't count\. line 1: another event with this source",
        ),
        ([FIRST, event("first", "2026-10-05T00:00:00Z", duration_seconds=7)], r"1 of its lines can't count\. line 2"),
    ],
)
def test_a_file_that_is_not_the_whole_truth_changes_nothing(filled, replace, write, snapshot, lines, sentence):
    before = snapshot()
    with pytest.raises(FrameRefused, match=sentence):
        replace(write("b.ndjson", *lines))
    assert snapshot() == before
    assert dirty_dates(filled) == []


def test_an_unreadable_file_and_an_unknown_company_change_nothing(filled, replace, write, snapshot):
    before = snapshot()
    with pytest.raises(FrameRefused, match=r"b\.ndjson is UTF-16"):
        replace(write("b.ndjson", "{}".encode("utf-16")))
    with pytest.raises(FrameRefused, match="No company 'nobody' is known"):
        replace(write("c.ndjson", ""), Frame("nobody", FRAME.begin, FRAME.end))
    assert snapshot() == before


def test_an_archived_month_is_brought_back_first(filled, replace, write, tmp_path):
    Archive(str(tmp_path / "archive")).archive(filled, date(2026, 10, 5), NOW)
    with pytest.raises(
        FrameRefused, match="Events of 2026-10 are archived; bring them back with `usage-pricing restore`"
    ):
        replace(write("b.ndjson", ""))


def test_a_void_that_is_taken_out_voids_nothing_any_more(known, load, replace, write):
    load(write("a.ndjson", BEFORE, event("v", "2026-10-06T08:00:00Z", type="void", voids="before")))
    known.execute("update ops.usage_date_state set built_version = dirty_version")
    replace(write("b.ndjson", ""))
    assert known.execute("select count(*) from raw.voids").fetchone() == (0,)
    assert date(2026, 10, 5) in dirty_dates(known)


def test_a_void_from_outside_meets_the_new_version_of_its_event(known, load, replace, write):
    load(write("a.ndjson", FIRST, LAST, event("v", "2026-10-09T08:00:00Z", type="void", voids="first")))
    replace(write("b.ndjson", event("first", "2026-10-06T12:00:00Z")))
    assert known.execute("select event_id, usage_date::text from raw.voids").fetchall() == [("first", "2026-10-06")]
    replace(write("c.ndjson", ""))
    assert known.execute("select event_id, usage_date from raw.voids").fetchall() == [("first", None)]


@pytest.mark.parametrize(
    ("begin", "end", "sentence"),
    [
        (datetime(2026, 10, 5), datetime(2026, 10, 7, tzinfo=UTC), "needs time zones"),  # noqa: DTZ001
        (FRAME.end, FRAME.begin, "ends .* before it begins"),
        (FRAME.end, FRAME.end, "ends .* before it begins"),
    ],
)
def test_a_frame_has_zones_and_some_length(begin, end, sentence):
    with pytest.raises(ValueError, match=sentence):
        Frame("acme", begin, end)
