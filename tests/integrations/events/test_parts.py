"""A long file is published part by part while the rest is still parsed; what comes of it is the same."""

import threading

import psycopg
import pytest

from integrations.events import loader, parsing, readers
from integrations.events.holding import HoldRule
from integrations.events.publish import PUBLISH_LOCK, Publication
from tests.feeds import event
from tests.integrations.events.conftest import NOW
from tests.integrations.events.test_loader import counts

DAYS = [f"2026-10-{day:02d}T09:00:00+02:00" for day in (5, 7, 6)]
LINES = [
    *(event(str(i), DAYS[i % 3]) for i in range(40)),
    *(event(str(i), DAYS[i % 3]) for i in range(5, 25)),
    *(event(str(i), DAYS[i % 3], duration_seconds=7) for i in range(4)),
    *("bad\n" for _ in range(2)),
    event("v", DAYS[0], type="void", voids="39"),
]


@pytest.fixture
def in_parts(monkeypatch):
    """Blocks of a few lines, parts of a few rows, and no processes; counts the parts."""
    parts = []
    add = Publication.add
    monkeypatch.setattr(readers, "BLOCK_SIZE", 1000)
    monkeypatch.setattr(parsing, "usable_processes", lambda: 1)
    monkeypatch.setattr(loader, "PART", 8)
    monkeypatch.setattr(Publication, "add", lambda self: parts.append(1) or add(self))
    return parts


def content(connection):
    queries = (
        "select event_id, duration_seconds, usage_date::text from raw.usage_events order by event_id",
        "select event_key, content_hash, line, usage_date::text from raw.event_keys order by event_key",
        "select line, reason from raw.rejected_events order by line",
        "select distinct event_id, usage_date::text from raw.voids",
        "select usage_date::text from ops.usage_date_state order by 1",
    )
    return [connection.execute(query).fetchall() for query in queries]


def test_parts_come_to_the_same_as_the_whole(known, load, write, reused, in_parts, monkeypatch):
    report = load(write("a.ndjson", *LINES))
    assert len(in_parts) > 3
    assert counts(report) == (67, 41, 20, 6, 0)
    found = content(known)
    assert (len(found[0]), found[3]) == (41, [("39", "2026-10-05")])
    known.execute("truncate raw.loads, raw.usage_events, raw.event_keys, raw.voids, ops.usage_date_state cascade")
    monkeypatch.setattr(loader, "PART", None)
    in_parts.clear()
    assert counts(load(write("b.ndjson", *LINES))) == counts(report)
    assert len(in_parts) == 1
    assert content(known) == found


def test_a_load_that_must_wait_after_all_publishes_nothing(known, load, write, in_parts):
    report = load(write("a.ndjson", *LINES[:40], "bad\n" * 60), hold=HoldRule(hold_above=0.2))
    assert len(in_parts) > 3
    assert (report.status, counts(report)) == ("held", (100, 40, 0, 60, 0))
    assert content(known)[:2] == [[], []]
    assert known.execute("select count(*) from raw.held_events").fetchone() == (40,)
    assert known.execute("select count(*) from raw.loads where feed = 'events'").fetchone() == (1,)


def test_while_another_load_publishes_a_long_one_goes_on_parsing(known, database_url, load, write, in_parts):
    with psycopg.connect(database_url) as other:
        other.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
        read = []
        path = write("a.ndjson", *LINES)
        thread = threading.Thread(target=lambda: load(path, progress=read.append))
        thread.start()
        while not read or read[-1] < len(LINES):
            thread.join(0.01)
        assert in_parts in ([], [1])
        other.rollback()
        thread.join(30)
    assert len(in_parts) == 1
    assert len(content(known)[0]) == 41


def test_the_dates_are_marked_once_and_at_the_end(known, load, write, in_parts):
    load(write("a.ndjson", *LINES), now=NOW)
    rows = known.execute("select dirty_version from ops.usage_date_state").fetchall()
    assert set(rows) == {(1,)}
