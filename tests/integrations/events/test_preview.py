"""What a file would come to, and where its events are read from, without a database."""

import gzip
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from integrations.events.contract import Filtered, Refused
from integrations.events.directory import CLOSED, CompanyVersion, Directory
from integrations.events.normalise import ROW_COLUMNS, Normaliser
from integrations.events.parsing import event_fates
from integrations.events.preview import preview, printable
from integrations.events.readers import UnreadableFile
from tests.feeds import event
from tests.integrations.events.conftest import NOW
from tests.integrations.events.test_twins import MAPPING

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
ACME = CompanyVersion(7, BEGIN, ZoneInfo("Europe/Berlin"), "EUR", (CLOSED,) * 7)
NORMALISER = Normaliser.at(Directory({"acme": [ACME]}, {(7, "main"): 3}), NOW)
ROW = tuple(ROW_COLUMNS)


def refused(number, reason="invalid_field", message="", payload=b"", field=None):
    return number, payload, Refused(reason, message, field)


def test_lines_are_counted_by_what_becomes_of_them():
    fates = [(1, b"", ROW), refused(2), (3, b"", Filtered("a")), (4, b"", Filtered("b")), (5, b"", Filtered("a"))]
    found = preview(fates, first=5)
    assert (found.read, found.accepted, found.rejected, found.filtered) == (5, 1, 1, {"a": 2, "b": 1})


@pytest.mark.parametrize(("first", "shown"), [(0, 0), (2, 2), (5, 3)])
def test_as_many_events_are_kept_as_are_wanted_while_all_are_counted(first, shown):
    found = preview(((number, b"", (number, *ROW[1:])) for number in range(3)), first)
    assert [row["company_id"] for row in found.first] == list(range(shown))
    assert found.accepted == 3


def test_each_reason_is_counted_and_shown_by_its_first_line_the_most_frequent_first():
    found = preview(
        [refused(2, "rare", "r2", b"two\n"), refused(3, "often", "o3", b"three"), refused(4, "often", "o4", b"four")], 5
    )
    shown = [(r.reason, r.count, r.line, r.message, r.payload) for r in found.refusals]
    assert shown == [("often", 2, 3, "o3", "three"), ("rare", 1, 2, "r2", "two")]


def test_one_reason_in_two_fields_is_shown_for_each():
    found = preview([refused(1, field="time"), refused(2, field="data.revenue"), refused(3, field="data.revenue")], 5)
    assert [(r.field, r.count, r.line) for r in found.refusals] == [("data.revenue", 2, 2), ("time", 1, 1)]


def test_only_the_start_of_a_payload_is_kept_and_it_does_nothing_to_a_terminal():
    found = preview([refused(1, payload=b"\x1b[31m\xff\xc3\xbc" + b"x" * 1_000_000)], 5).refusals[0]
    assert found.payload.startswith("\\x1b[31m\\xffüxxx")
    assert found.payload.endswith("x ...")
    assert len(found.payload) < 200
    assert printable("a\tb\u202e") == "a\\tb\\u202e"


def test_no_line_at_all_is_a_preview_of_nothing():
    found = preview([], 5)
    assert (found.read, found.accepted, found.rejected, found.first, found.refusals) == (0, 0, 0, [], [])


def test_ndjson_and_foreign_tables_are_told_by_their_mapping(write):
    good, bad = event("1", "2026-11-02T23:30:00+00:00", branch="main"), event("2", NOW.isoformat(), key="nobody")
    plain = preview(event_fates(write("x.ndjson", good, bad, "{\n"), None, "x.ndjson", NORMALISER), 5)
    assert [(r.reason, r.line) for r in plain.refusals] == [("unknown_company", 2), ("malformed_json", 3)]
    shown = {name: plain.first[0][name] for name in ("company_id", "usage_date", "branch_id", "event_id")}
    assert shown == {"company_id": 7, "usage_date": date(2026, 11, 3), "branch_id": 3, "event_id": "1"}
    table = gzip.compress(b"id,at,who\n1,2026-11-02,acme\n2,2026-11-02,nobody\n3,then,acme\n")
    mapped = preview(event_fates(write("y.csv.gz", table), MAPPING, "y.csv.gz", NORMALISER), 5)
    assert [(r.reason, r.line) for r in mapped.refusals] == [("unknown_company", 3), ("invalid_field", 4)]
    assert mapped.accepted == 1


def test_a_file_that_lacks_a_column_is_unreadable(write):
    with pytest.raises(UnreadableFile, match=r"^calls lacks the columns that its mapping reads: who"):
        list(event_fates(write("x.csv", "id,at\n"), MAPPING, "calls", NORMALISER))
