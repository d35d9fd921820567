from datetime import UTC, datetime

import psycopg
import pytest

from integrations.events.ledger import (
    UNREADABLE,
    Arrival,
    LoadReport,
    Rejection,
    already_loaded,
    close_load,
    open_load,
    quarantine,
    record_failure,
)
from tests.integrations.events.conftest import NOW


@pytest.fixture
def arrive(write):
    return lambda content=b"x", name=None: Arrival.of("events", write("a.ndjson", content), name, NOW)


def test_an_arrival_is_known_by_its_content_size_and_time(arrive, tmp_path):
    arrival = arrive(b"abc")
    assert arrival.fingerprint == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (arrival.name, arrival.size, arrival.problem) == ("a.ndjson", 3, None)
    assert arrival.modified_at == datetime.fromtimestamp((tmp_path / "a.ndjson").stat().st_mtime, UTC)
    assert arrive(name="2026/a.ndjson").name == "2026/a.ndjson"


def test_what_can_not_be_read_arrives_with_its_problem(tmp_path):
    gone, folder = (Arrival.of("events", path, None, NOW) for path in (tmp_path / "gone", tmp_path))
    assert (gone.fingerprint, gone.problem) == (UNREADABLE, "gone can't be read: No such file or directory")
    assert (folder.fingerprint, folder.problem) == (UNREADABLE, f"{tmp_path.name} can't be read: Is a directory")


def test_what_was_closed_is_what_is_known(connection, arrive):
    report = open_load(connection, arrive(), NOW)
    report.read, report.inserted, report.duplicate, report.rejected, report.filtered = 10, 4, 3, 2, 1
    report.filtered_by, report.usage_dates, report.message = {"tests": 1}, ["2026-11-02"], "said"
    close_load(connection, report)
    known = already_loaded(connection, arrive())
    assert known == LoadReport(**{**vars(report), "is_new": False})


def test_the_same_content_under_another_name_or_feed_is_not_known(connection, arrive, write):
    close_load(connection, open_load(connection, arrive(), NOW))
    assert already_loaded(connection, arrive(name="b.ndjson")) is None
    assert already_loaded(connection, arrive(b"y")) is None
    assert already_loaded(connection, Arrival.of("companies", write("a.ndjson", b"x"), None, NOW)) is None


def test_counts_that_do_not_add_up_are_refused(connection, arrive):
    report = open_load(connection, arrive(), NOW)
    report.read, report.inserted = 3, 2
    with pytest.raises(psycopg.errors.CheckViolation):
        close_load(connection, report)


def test_a_failure_is_not_taken_for_a_load(connection, arrive):
    report = record_failure(connection, arrive(), NOW, "it is broken")
    assert (report.status, report.message) == ("failed", "it is broken")
    assert already_loaded(connection, arrive()) is None


def test_a_file_has_at_most_one_failure(connection, arrive):
    for content in (b"x", b"x", b"y"):
        record_failure(connection, arrive(content), NOW, f"{content!r} is broken")
    assert connection.execute("select message from raw.loads").fetchall() == [("b'y' is broken",)]


def test_what_was_loaded_can_not_fail_afterwards(connection, arrive):
    loaded = open_load(connection, arrive(), NOW)
    close_load(connection, loaded)
    report = record_failure(connection, arrive(), NOW, "too late")
    assert (report.status, report.load_id, report.is_new) == ("published", loaded.load_id, False)


def test_quarantine_keeps_what_is_no_text_readable(connection, arrive):
    report = open_load(connection, arrive(), NOW)
    payloads = [b"\xff\x00\xfe", b"a\tb\\N\r\n", "ä".encode(), b"", b'\\.\n"']
    quarantine(connection, report.load_id, [Rejection(i, "r", None, "m\0", p) for i, p in enumerate(payloads)])
    rows = connection.execute("select payload, message, field from raw.rejected_events order by line").fetchall()
    assert [payload for payload, *_ in rows] == ["\\xff\\x00\\xfe", "a\tb\\N", "ä", "", '\\.\n"']
    assert {(message, field) for _, message, field in rows} == {("m\\x00", None)}
