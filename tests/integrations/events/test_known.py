"""Events as they were at an instant, whatever was received, taken back or replaced after it."""

import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from integrations.events.feeds import load_feed
from integrations.events.frames import Frame, replace_frame
from integrations.events.known import EventsArchived, later_loads, take_back
from tests.feeds import company, event
from tests.integrations.events.conftest import NOW

EVERYBODY = range(sys.maxsize)
LATER = NOW + timedelta(hours=1)
FIRST, END = date(2026, 10, 1), date(2026, 10, 8)
FRAME = Frame("acme", datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC))
ONE, TWO = event("one", "2026-10-05T09:00:00Z"), event("two", "2026-10-06T09:00:00Z")


def void(id: str, target: str, time: str = "2026-10-07T09:00:00Z"):
    return event(id, time, type="void", voids={"id": target})


@pytest.fixture
def as_known(known):
    """The ids of events that counted at the instant, of companies and dates that were touched since."""

    def ask(first: date = FIRST, companies: range = EVERYBODY) -> list[str]:
        with known.transaction(force_rollback=True):
            take_back(known, later_loads(known, NOW, first, END), companies)
            query = "select event_id from pg_temp.usage_events where event_type <> 'void' order by 1"
            return [id for (id,) in known.execute(query)]

    return ask


def test_nothing_is_later_than_the_last_load(known, load, write):
    load(write("a.ndjson", ONE))
    assert later_loads(known, NOW, FIRST, END).load_ids == ()
    assert later_loads(known, NOW - timedelta(seconds=1), FIRST, END).usage_dates == (date(2026, 10, 5),)


def test_what_was_received_later_is_left_out(load, write, as_known):
    load(write("a.ndjson", ONE, event("york", "2026-10-05T09:00:00Z", "york")))
    load(write("b.ndjson", event("late", "2026-10-05T10:00:00Z")), now=LATER)
    assert as_known() == ["one"]
    assert as_known(first=date(2026, 10, 6)) == []


def test_companies_beyond_those_asked_for_are_left_out(known, load, write, as_known):
    load(write("a.ndjson", ONE))
    load(write("b.ndjson", event("late", "2026-10-05T10:00:00Z")), now=LATER)
    (own,) = known.execute("select company_id from raw.company_ids where company_key = 'acme'").fetchone()
    assert as_known(companies=range(own, own + 1)) == ["one"]
    assert as_known(companies=range(own + 1, own + 2)) == []


def test_what_was_voided_later_counts_and_what_was_voided_before_does_not(load, write, as_known):
    load(write("a.ndjson", ONE, TWO, event("three", "2026-10-06T10:00:00Z"), void("v-1", "two")))
    load(write("b.ndjson", void("v-2", "one"), void("v-3", "three")), now=LATER)
    assert as_known() == ["one", "three"]


def test_what_was_replaced_later_counts_and_its_voids_hold(known, load, write, as_known):
    load(write("a.ndjson", ONE, TWO, void("v-1", "two", "2026-10-05T11:00:00Z")))
    replace_frame(known, FRAME, write("b.ndjson", event("new", "2026-10-05T09:00:00Z")), LATER)
    assert as_known() == ["one"]


def test_what_was_replaced_before_does_not_count(known, load, write, as_known):
    load(write("a.ndjson", ONE))
    replace_frame(known, FRAME, write("b.ndjson", event("new", "2026-10-05T09:00:00Z")), NOW)
    load(write("c.ndjson", event("late", "2026-10-05T10:00:00Z")), now=LATER)
    assert as_known() == ["new"]


def test_a_void_that_waits_for_the_new_version_of_its_event_held_for_the_old_one(known, load, write, as_known):
    load(write("a.ndjson", ONE, event("other", "2026-10-05T09:30:00Z"), void("v-1", "one")))
    replace_frame(known, FRAME, write("b.ndjson", event("new", "2026-10-05T09:00:00Z")), LATER)
    assert as_known() == ["other"]


def test_dates_whose_events_are_archived_are_named_with_the_way_out(known, load, write, as_known):
    load(write("a.ndjson", ONE))
    load(write("b.ndjson", event("late", "2026-10-05T10:00:00Z")), now=LATER)
    known.execute(
        "insert into raw.archived_dates (usage_date, location, count_rows, checksum, archived_at)"
        " values ('2026-10-05', 'a', 1, 1, now())"
    )
    with pytest.raises(EventsArchived, match="run `usage-pricing restore 2026-10-05 2026-10-05`"):
        as_known()
    known.execute("update raw.archived_dates set restored_at = now()")
    assert as_known() == ["one"]


def test_a_company_that_is_told_later_is_noted(known, write):
    load_feed(known, "companies", write("late/companies.ndjson", company("late")), LATER)
    assert later_loads(known, NOW, FIRST, END).has_companies
