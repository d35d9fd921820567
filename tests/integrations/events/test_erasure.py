"""A customer who asks to be forgotten is named nowhere afterwards, and no count changes by it."""

import json
from datetime import UTC, date, datetime

import psycopg
import pytest

from integrations.events.archive import Archive
from integrations.events.erasure import erase_customer, names_customer
from integrations.events.feeds import load_feed
from integrations.events.frames import Frame, replace_frame
from integrations.events.replay import replay_load
from tests.feeds import event
from tests.integrations.events.conftest import NOW

NAME = 'Zoë "Z" Müller'
OLD, NEW = "2026-07-05T09:00:00+02:00", "2026-11-05T09:00:00+01:00"


@pytest.fixture
def archive(tmp_path) -> Archive:
    return Archive(str(tmp_path / "archive"))


@pytest.fixture
def filled(known, load, write, archive):
    """Events of the customer in the database, the archive, a held load and the quarantine; and of others."""
    load(write("a.ndjson", event("1", OLD, customer=NAME, note="a call"), event("2", OLD, customer="c-2", note="kept")))
    load(write("b.ndjson", event("3", NEW, customer=NAME), event("4", NEW, "york", customer=NAME)))
    unknown = event("5", NEW, customer=NAME, branch="nowhere"), event("5", NEW, "york", customer=NAME, branch="x")
    load(write("c.ndjson", *unknown, event("6", NEW, customer=f"{NAME}2", branch="nowhere")))
    assert load(write("d.ndjson", event("7", NEW, customer=NAME), "bad\n" * 20)).status == "held"
    archive.archive(known, date(2026, 7, 5), NOW)
    return known


def everything(connection: psycopg.Connection) -> set[str]:
    """All rows of all tables of schema raw, as text."""
    tables = connection.execute(
        "select format('%I.%I', table_schema, table_name) from information_schema.tables where table_schema = 'raw'"
    ).fetchall()
    rows = [connection.execute(f"select t::text from {name} as t".encode()).fetchall() for (name,) in tables]
    return {row for found in rows for (row,) in found}


def test_the_name_is_gone_from_tables_and_archive(filled, archive):
    erased = erase_customer(filled, archive, "acme", NAME, NOW)
    assert erased.counts == {
        "archive": 1,
        "raw.held_events": 1,
        "raw.rejected_events": 1,
        "raw.replaced_events": 0,
        "raw.usage_events": 1,
    }
    assert erased.files == ["b.ndjson", "d.ndjson"]
    archive.restore(filled, [date(2026, 7, 5)], NOW)
    rows = filled.execute(
        "select event_id, customer, properties from raw.usage_events where event_id <> '4' order by event_id"
    ).fetchall()
    assert rows == [
        ("1", erased.pseudonym, None),
        ("2", "c-2", {"note": "kept"}),
        ("3", erased.pseudonym, None),
    ]
    left = [line for line in everything(filled) if "ller" in line]
    assert len(left) == len(["the event of york", "york's refused line", "the refused line of another name"])


def test_of_a_replayed_line_the_file_is_named(known, load, write, archive):
    branch = {"company": "acme", "branch": "new", "name": "New", "valid_from": "2026-10-01T00:00:00Z"}
    report = load(write("first.ndjson", event("1", NEW, customer=NAME, branch="new")))
    load_feed(known, "branches", write("new.ndjson", branch), NOW)
    assert replay_load(known, report.load_id, NOW).inserted == 1
    assert erase_customer(known, archive, "acme", NAME, NOW).files == ["first.ndjson"]


def test_another_company_s_customer_of_the_same_name_stays(filled, archive):
    erase_customer(filled, archive, "acme", NAME, NOW)
    assert filled.execute("select customer from raw.usage_events where event_id = '4'").fetchone() == (NAME,)
    kept = filled.execute("select payload from raw.rejected_events where payload like '%york%'").fetchall()
    assert len(kept) == 1


def test_a_customer_whose_name_only_begins_alike_stays(filled, archive):
    erase_customer(filled, archive, "acme", NAME, NOW)
    (payload,) = filled.execute(
        "select payload from raw.rejected_events where line = 3 and reason = 'unknown_branch'"
    ).fetchone()
    assert "ller2" in payload


def test_there_is_an_audit_row_without_a_name_and_a_second_request_adds_none(filled, archive):
    erased = erase_customer(filled, archive, "acme", NAME, NOW, "ticket 7")
    again = erase_customer(filled, archive, "acme", NAME, NOW, "ticket 7")
    assert not any(again.counts.values())
    rows = filled.execute(
        "select company_key, pseudonym, reference, counts, erased_at"
        " from ops.erasures inner join raw.company_ids using (company_id)"
    ).fetchall()
    assert rows == [("acme", erased.pseudonym, "ticket 7", erased.counts, NOW)]


def test_a_resend_of_an_erased_event_is_a_duplicate(filled, archive, load, write):
    erase_customer(filled, archive, "acme", NAME, NOW)
    report = load(write("again.ndjson", event("3", NEW, customer=NAME)))
    assert (report.inserted, report.duplicate) == (0, 1)


def test_what_a_meter_reads_of_an_event_stays_but_for_the_name(known, load, write, archive):
    known.execute(
        "create table marts.billable_meters as select * from (values"
        " ('standard', 'class=standard', 'quantity'), ('callers', null, 'caller'), ('calls', 'hours=after', null)"
        ") as meters (meter, filter, value_field)"
    )
    said = {"class": "standard", "caller": NAME, "note": "a call", "hours": "x"}
    load(write("a.ndjson", event("1", OLD, customer=NAME, **said), event("2", NEW, customer=NAME, **said)))
    archive.archive(known, date(2026, 7, 5), NOW)
    erased = erase_customer(known, archive, "acme", NAME, NOW)
    archive.restore(known, [date(2026, 7, 5)], NOW)
    rows = known.execute("select properties from raw.usage_events").fetchall()
    assert rows == [({"class": "standard", "caller": erased.pseudonym},)] * 2


def test_a_void_keeps_what_it_voids(known, load, write, archive):
    load(write("a.ndjson", event("v", NEW, type="void", voids="1", customer=NAME, note="x")))
    load(write("b.ndjson", event("w", OLD, type="void", voids="2", customer=NAME, note="x")))
    archive.archive(known, date(2026, 7, 5), NOW)
    erase_customer(known, archive, "acme", NAME, NOW)
    archive.restore(known, [date(2026, 7, 5)], NOW)
    rows = known.execute("select event_id, properties from raw.usage_events order by 1").fetchall()
    assert rows == [
        ("v", {"voids": {"id": "1", "source": "/phone"}}),
        ("w", {"voids": {"id": "2", "source": "/phone"}}),
    ]


def test_what_a_crash_left_in_the_archive_goes_too(filled, archive, tmp_path):
    left = tmp_path / "archive/usage_events/2026-07/2026-07-05.parquet.unfinished"
    left.write_bytes(b"half a file")
    erase_customer(filled, archive, "acme", NAME, NOW)
    assert not left.exists()


def test_tables_of_later_marts_are_found_by_their_columns(filled, archive):
    filled.execute(
        "create table marts.dim_customers as select company_id, customer from raw.usage_events where event_id = '3'"
    )
    erased = erase_customer(filled, archive, "acme", NAME, NOW)
    assert erased.counts["marts.dim_customers"] == 1
    filled.execute("drop table marts.dim_customers")


def test_complete_rows_are_told_by_their_company_and_customer(known, load, write, archive):
    """Conflicts name a company by its id alone; another company's stays, though no key stands in it."""
    load(write("a.ndjson", event("1", NEW, customer=NAME), event("2", NEW, "york", customer=NAME)))
    again = [event("1", NEW, customer=NAME, channel="x"), event("2", NEW, "york", customer=NAME, channel="x")]
    load(write("b.ndjson", *again))
    known.execute("insert into raw.company_ids (company_key) values ('call')")
    assert erase_customer(known, archive, "acme", NAME, NOW).counts["raw.rejected_events"] == 1
    assert known.execute("select line, reason from raw.rejected_events order by line").fetchall() == [
        (1, "erased"),
        (2, "conflict"),
    ]


def test_what_was_erased_is_no_obstacle_to_what_came_too_late(known, load, write, archive):
    load(write("a.ndjson", event("1", OLD)))
    archive.archive(known, date(2026, 7, 5), NOW)
    report = load(write("b.ndjson", event("2", OLD, customer=NAME), event("3", OLD, customer="c-3")))
    erase_customer(known, archive, "acme", NAME, NOW)
    replayed = replay_load(
        known, report.load_id, NOW, restore=lambda connection, dates: archive.restore(connection, dates, NOW)
    )
    assert replayed.inserted == 1
    assert known.execute("select event_id from raw.usage_events order by 1").fetchall() == [("1",), ("3",)]


@pytest.mark.parametrize(
    ("payload", "is_named"),
    [
        ('{"subject": "acme", "data": {"customer": "c-7"}}', True),
        ('{"subject": "acme", "data": {"customer": "c-70", "revenue": 7}}', False),
        ('{"subject": "acme", "data": {"note": {"who": ["c-7"]}}}', True),
        ('{"subject": "acem", "data": {"customer": "c-7"}}', True),
        ('{"subject": "york", "data": {"customer": "c-7"}}', False),
        ('{"who": "c-7", "seconds": "10"}', True),
        ('{"who": "c-7", "company": "york"}', False),
        ('{"subject": "acme", "data": {"customer": "c-7"', True),
        ('{"subject": "york", "data": {"customer": "c-7"', False),
        ('{"subject": "newyorker", "data": {"customer": "c-7"', True),
        ("c-7;09:00;acme", True),
    ],
)
def test_a_refused_line_is_about_a_customer_of_this_company_or_of_none_that_is_known(payload, is_named):
    assert names_customer(payload, "acme", "c-7", {"york"}) is is_named


@pytest.mark.parametrize("name", ["MÜller", "a/b", 'q"uote', "\N{GRINNING FACE}"])
def test_a_name_is_found_in_whatever_way_a_line_writes_it(known, load, write, archive, name):
    row = json.dumps(event("1", NEW, customer=name, branch="nowhere"))
    written = [row, row.replace("\\u00dc", "\\u00DC"), row.replace("/b", "\\/b")]
    load(write("a.ndjson", "\n".join(written)))
    assert erase_customer(known, archive, "acme", name, NOW).counts["raw.rejected_events"] == 3


def test_a_crash_while_the_archive_is_rewritten_leaves_it_readable(filled, archive, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("integrations.events.archive._measure", stop)
    with pytest.raises(KeyboardInterrupt):
        erase_customer(filled, archive, "acme", NAME, NOW)
    monkeypatch.undo()
    erased = erase_customer(filled, archive, "acme", NAME, NOW)
    archive.restore(filled, [date(2026, 7, 5)], NOW)
    assert filled.execute("select customer from raw.usage_events where event_id = '1'").fetchone() == (
        erased.pseudonym,
    )


def test_files_of_replaced_events_are_named(known, load, write, archive):
    load(write("a.ndjson", event("1", NEW, customer=NAME)))
    frame = Frame("acme", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC))
    replace_frame(known, frame, write("b.ndjson", event("2", NEW, customer=NAME)), NOW)
    assert erase_customer(known, archive, "acme", NAME, NOW).files == ["a.ndjson", "b.ndjson"]


@pytest.mark.parametrize("name", ["", "  "])
def test_a_customer_without_a_name_is_nobody(known, archive, name):
    with pytest.raises(ValueError, match="Its name is empty"):
        erase_customer(known, archive, "acme", name, NOW)


def test_an_unknown_company_is_an_error(known, archive):
    with pytest.raises(LookupError, match="No company 'nobody' is known"):
        erase_customer(known, archive, "nobody", NAME, NOW)
