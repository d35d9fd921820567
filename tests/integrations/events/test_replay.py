"""Refused lines are judged again when their cause was mended; what is accepted then counts once."""

from datetime import date, timedelta

import pytest
import yaml

from integrations.events.archive import Archive
from integrations.events.feeds import load_feed
from integrations.events.mapping import SourceMapping
from integrations.events.replay import replay_load, replayable_loads
from tests.feeds import company, event
from tests.integrations.events.conftest import NOW
from tests.integrations.events.test_loader import counts

TIME = "2026-11-05T09:00:00+01:00"
LATER = NOW + timedelta(hours=1)
MAPPING = """
time_zone: Europe/Berlin
time: {columns: [date, time], format: "%d.%m.%Y %H:%M"}
event: {id: "{no}", source: /desk, type: call, subject: "{who}", data: {duration_seconds: "{seconds}"}}
"""
ROWS = "no,who,date,time,seconds\n1,acme,05.11.2026,09:00,60\n2,ACME,05.11.2026,10:00,60\n3,acme,05/11/2026,09:00,60\n"


def mapping(text: str = MAPPING) -> SourceMapping:
    return SourceMapping.model_validate(yaml.safe_load(text))


@pytest.fixture
def refused(load, write):
    """A load of which three lines were refused: two for a company that is not known, one for a branch."""
    return load(
        write(
            "a.ndjson",
            event("1", TIME),
            event("2", TIME, "late-co"),
            event("3", TIME, "late-co"),
            event("4", TIME, branch="new"),
            "no json\n",
        )
    )


@pytest.fixture
def mend(known, write):
    def add_company(key: str = "late-co"):
        load_feed(known, "companies", write(f"known/{key}.ndjson", company(key)), NOW)

    return add_company


def pending(connection):
    return connection.execute(
        "select line, reason from raw.rejected_events where replayed_by is null order by load_id, line"
    ).fetchall()


def test_lines_whose_company_has_come_are_taken_as_a_load_of_their_own(known, refused, mend, stored):
    mend()
    report = replay_load(known, refused.load_id, LATER)
    assert counts(report) == (2, 2, 0, 0, 0)
    assert [id for id, _ in stored()] == ["1", "2", "3"]
    assert pending(known) == [(4, "unknown_branch"), (5, "malformed_json")]
    replayed = known.execute("select line, replayed_by from raw.rejected_events where line < 4 order by 1").fetchall()
    assert replayed == [(2, report.load_id), (3, report.load_id)]
    row = known.execute("select file_name, received_at from raw.loads where load_id = %s", [report.load_id]).fetchone()
    assert row == (f"replay of load {refused.load_id}", LATER)


def test_the_book_of_the_first_load_stays_as_it_was(known, refused, mend):
    query = "select * from raw.loads where load_id = %s"
    before = known.execute(query, [refused.load_id]).fetchone()
    mend()
    replay_load(known, refused.load_id, LATER)
    assert known.execute(query, [refused.load_id]).fetchone() == before


def test_replaying_twice_has_the_effect_of_once(known, refused, mend, stored):
    mend()
    replay_load(known, refused.load_id, LATER)
    loads = known.execute("select count(*) from raw.loads").fetchone()
    before = stored()
    assert replay_load(known, refused.load_id, LATER) is None
    assert stored() == before
    assert known.execute("select count(*) from raw.loads").fetchone() == loads


def test_a_second_cause_may_be_mended_later(known, refused, mend, write, stored):
    mend()
    replay_load(known, refused.load_id, LATER)
    branch = {"company": "acme", "branch": "new", "name": "New", "valid_from": "2026-10-01T00:00:00Z"}
    load_feed(known, "branches", write("known/new.ndjson", branch), NOW)
    assert counts(replay_load(known, refused.load_id, LATER)) == (1, 1, 0, 0, 0)
    assert len(stored()) == 4


def test_nothing_is_replayed_while_nothing_was_mended(known, refused):
    before = pending(known)
    assert replay_load(known, refused.load_id, LATER) is None
    assert pending(known) == before


def test_a_line_that_is_refused_for_another_reason_now_says_so(known, load, write, mend):
    report = load(write("a.ndjson", event("1", TIME, "late-co", branch="b")))
    assert pending(known) == [(1, "unknown_company")]
    mend()
    assert replay_load(known, report.load_id, LATER) is None
    assert pending(known) == [(1, "unknown_branch")]


def test_what_has_come_in_the_meantime_is_a_duplicate_or_a_conflict(known, refused, mend, load, write):
    mend()
    load(write("b.ndjson", event("2", TIME, "late-co"), event("3", TIME, "late-co", duration_seconds=1)))
    report = replay_load(known, refused.load_id, LATER)
    assert counts(report) == (2, 0, 1, 1, 0)
    assert (3, "conflict") in pending(known)
    assert replayable_loads(known) == [refused.load_id]


def test_rows_of_a_foreign_table_are_read_by_the_corrected_mapping(known, load, write, stored):
    report = load(write("desk.csv", ROWS), mapping=mapping())
    assert [reason for _, reason in pending(known)] == ["unknown_company", "invalid_field"]
    corrected = mapping(MAPPING + "values: {subject: {ACME: acme}}\n")
    replayed = replay_load(known, report.load_id, LATER, lambda name: corrected if name == "desk.csv" else None)
    assert counts(replayed) == (1, 1, 0, 0, 0)
    assert stored() == [("1", 60), ("2", 60)]


def test_without_a_newer_mapping_the_one_of_the_load_is_used(known, load, write, mend, stored):
    report = load(write("desk.csv", ROWS), mapping=mapping())
    mend("ACME")
    assert counts(replay_load(known, report.load_id, LATER)) == (1, 1, 0, 0, 0)
    assert stored() == [("1", 60), ("2", 60)]


def test_a_row_that_the_corrected_mapping_leaves_out_is_filtered(known, load, write, stored):
    report = load(write("desk.csv", ROWS), mapping=mapping())
    corrected = mapping(MAPPING + "filters: [{name: tests, column: who, equals: [ACME]}]\n")
    replayed = replay_load(known, report.load_id, LATER, lambda name: corrected)
    assert counts(replayed) == (1, 0, 0, 0, 1)
    assert replayed.filtered_by == {"tests": 1}
    assert stored() == [("1", 60)]


def test_a_mapping_that_reads_other_columns_refuses_the_row(known, load, write):
    report = load(write("desk.csv", ROWS), mapping=mapping())
    other = mapping(MAPPING.replace("{seconds}", "{length}"))
    assert replay_load(known, report.load_id, LATER, lambda name: other) is None
    assert {reason for _, reason in pending(known)} == {"malformed_row"}


def test_what_came_too_late_is_taken_when_its_month_is_brought_back(known, load, write, tmp_path, stored):
    archive = Archive(str(tmp_path / "archive"))
    load(write("a.ndjson", event("1", "2026-07-05T09:00:00+02:00")))
    archive.archive(known, date(2026, 7, 5), NOW)
    report = load(write("b.ndjson", event("2", "2026-07-06T09:00:00+02:00", note='"x" é'), event("3", TIME)))
    assert replay_load(known, report.load_id, LATER) is None
    assert (replayable_loads(known), replayable_loads(known, with_late=True)) == ([], [report.load_id])
    replayed = replay_load(
        known, report.load_id, LATER, restore=lambda connection, dates: archive.restore(connection, dates, LATER)
    )
    assert counts(replayed) == (1, 1, 0, 0, 0)
    assert [id for id, _ in stored()] == ["1", "2", "3"]
    assert known.execute("select properties from raw.usage_events where event_id = '2'").fetchone() == (
        {"note": '"x" é'},
    )
    assert counts(load(write("c.ndjson", event("2", "2026-07-06T09:00:00+02:00", note='"x" é'))))[2] == 1


def test_discarded_and_conflicting_lines_are_final(known, load, write):
    load(write("a.ndjson", event("1", TIME), event("1", TIME, duration_seconds=7)))
    assert replayable_loads(known) == []


def test_a_held_load_is_released_before_its_lines_are_replayed(known, load, write):
    held = load(write("a.ndjson", "bad\n" * 20))
    with pytest.raises(LookupError, match="release a held one first"):
        replay_load(known, held.load_id, LATER)
