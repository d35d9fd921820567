from datetime import timedelta

import pytest

from integrations.events import holding, loader
from integrations.events.feeds import load_feed
from integrations.events.mapping import SourceMapping
from tests.feeds import company, event
from tests.integrations.events.conftest import NOW

TIME = "2026-11-02T09:00:00+01:00"
EARLY = NOW - timedelta(hours=2)
MAPPING = SourceMapping.model_validate(
    {
        "time_zone": "Europe/Berlin",
        "time": {"columns": ["at"], "format": "%Y-%m-%d"},
        "event": {"id": "{id}", "source": "/bank", "type": "call", "subject": "{who}"},
    }
)


def counts(report):
    return report.read, report.inserted, report.duplicate, report.rejected, report.filtered


@pytest.fixture
def unread(monkeypatch):
    """Fail when a file is read as if nothing was known about it."""
    monkeypatch.setattr(loader, "event_batches", lambda *_: pytest.fail("the whole file was read again"))


@pytest.fixture
def content(write):
    """Two good lines, one that is refused now, and one of a company that is not known yet."""
    rows = (event("1", TIME), event("2", TIME), event("3", NOW.isoformat()), event("4", TIME, key="later"))
    return lambda name: write(name, *rows[:2], "\n", *rows[2:])


def test_the_same_bytes_under_another_name_are_known_without_being_read(load, content, stored, rejected, request):
    assert counts(load(content("x.ndjson"), now=EARLY)) == (4, 2, 0, 2, 0)
    request.getfixturevalue("unread")
    assert counts(load(content("y.ndjson"), now=EARLY)) == (4, 0, 2, 2, 0)
    assert stored() == [("1", 120), ("2", 120)]
    assert [row[1:3] for row in rejected()] == [(4, "in_future"), (5, "unknown_company")] * 2


def test_lines_that_were_refused_are_judged_anew(load, write, content, stored, rejected, request):
    load(content("x.ndjson"), now=EARLY)
    request.getfixturevalue("unread")
    report = load(content("y.ndjson"))
    assert counts(report) == (4, 1, 2, 1, 0)
    assert report.usage_dates == ["2026-11-20"]
    assert [id for id, _ in stored()] == ["1", "2", "3"]
    assert rejected()[2:] == [("y.ndjson", 5, "unknown_company", "subject")]


def test_a_conflict_is_one_again(load, write, request):
    lines = (event("1", TIME), event("1", TIME, duration_seconds=7), event("1", TIME))
    assert counts(load(write("x.ndjson", *lines))) == (3, 1, 1, 1, 0)
    request.getfixturevalue("unread")
    assert counts(load(write("y.ndjson", *lines))) == (3, 0, 2, 1, 0)


def test_a_load_that_waits_is_no_proof_of_anything(load, write):
    lines = (*(event(str(i), TIME) for i in range(10)), *["no json\n"] * 10)
    assert load(write("x.ndjson", *lines)).status == "held"
    assert counts(load(write("y.ndjson", *lines))) == (20, 10, 0, 10, 0)


def test_a_twin_that_must_wait_adds_up_after_its_release(known, load, write, request):
    lines = (*(event(str(i), TIME) for i in range(10)), *["no json\n"] * 10)
    load(write("x.ndjson", *lines), hold=holding.HoldRule(hold_above=1))
    request.getfixturevalue("unread")
    report = load(write("y.ndjson", *lines))
    assert (report.status, *counts(report)) == ("held", 20, 0, 10, 10, 0)
    assert counts(holding.release_load(known, report.load_id)) == (20, 0, 10, 10, 0)


def test_bytes_that_were_read_through_a_mapping_are_read_without_one(load, write):
    table = "id,at,who\n1,2026-11-02,acme\n"
    assert counts(load(write("x.csv", table), mapping=MAPPING)) == (1, 1, 0, 0, 0)
    assert counts(load(write("y.csv", table))) == (2, 0, 0, 2, 0)
    assert counts(load(write("z.csv", table), mapping=MAPPING)) == (1, 0, 1, 0, 0)


def test_a_company_that_became_known_gets_the_line_that_was_refused(known, load, write, content, stored, request):
    load(content("x.ndjson"))
    load_feed(known, "companies", write("later.ndjson", company("later")), NOW)
    request.getfixturevalue("unread")
    assert counts(load(content("y.ndjson"))) == (4, 1, 3, 0, 0)
    assert [id for id, _ in stored()] == ["1", "2", "3", "4"]
