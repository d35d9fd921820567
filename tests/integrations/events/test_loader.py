import gzip
import random

import pytest
from backports import zstd

from integrations.events import incoming, loader, publish
from integrations.events.holding import HoldRule
from integrations.postgres.usage_dates import dirty_dates
from tests.feeds import event, lines
from tests.integrations.events.test_mapping import MAPPING, SourceMapping

TIME = "2026-11-02T09:30:00+01:00"


def calls(*ids, time=TIME, **data):
    return lines(*[event(str(id), time, **data) for id in ids])


def counts(report):
    return report.read, report.inserted, report.duplicate, report.rejected, report.filtered


def tables(connection):
    """How many rows every table has that a load writes."""
    names = ("loads", "rejected_events", "held_events", "usage_events", "event_keys")
    found = {name: connection.execute(f"select count(*) from raw.{name}".encode()).fetchone()[0] for name in names}
    partitions = "select count(*) from pg_inherits where inhparent = 'raw.usage_events'::regclass"
    return {**found, "partitions": connection.execute(partitions).fetchone()[0], "dirty": dirty_dates(connection)}


@pytest.fixture
def untouched(known):
    """What the tables hold before the first load of events."""
    return tables(known)


def test_an_event_is_stored_with_everything_that_it_says(known, load, write):
    said = {"branch": "main", "customer": 'Zoë 🎈 \\ "x"\n\\.\n,', "quantity": 2.5, "duration_seconds": 61}
    more = {
        "outcome": "success",
        "service": "null",
        "revenue": 12.5,
        "currency": "EUR",
        "own": {"a": "ä\\"},
    }
    load(write("x.ndjson", calls(1, **said, **more)))
    (row,) = known.execute(
        """
        select company_key, usage_date::text, local_minute, occurred_at::text, source, event_id, event_type, branch_key,
            customer, quantity::float, duration_seconds, outcome, service, channel, revenue::float, currency,
            is_after_hours, is_local_time_shifted, properties
        from raw.usage_events join raw.company_ids using (company_id) join raw.branch_ids using (company_id, branch_id)
        """
    ).fetchall()
    assert row[:8] == ("acme", "2026-11-02", 570, "2026-11-02 08:30:00+00", "/phone", "1", "call", "main")
    assert row[8:16] == (said["customer"], 2.5, 61, "success", "null", None, 12.5, "EUR")
    assert row[16:] == (False, False, {"own": {"a": "ä\\"}})


@pytest.mark.parametrize(
    "compress", [str.encode, lambda t: gzip.compress(t.encode()), lambda t: zstd.compress(t.encode())]
)
def test_plain_gzip_and_zstd_are_loaded_alike(load, write, stored, compress):
    assert counts(load(write("x.ndjson", compress(calls(1, 2))))) == (2, 2, 0, 0, 0)
    assert stored() == [("1", 120), ("2", 120)]


def test_a_load_marks_its_usage_dates_and_names_them(known, load, write):
    report = load(
        write("x.ndjson", calls(1) + calls(2, time="2026-11-01T23:30:00Z") + calls(3, time="2026-11-03T23:30:00Z"))
    )
    assert report.usage_dates == ["2026-11-02", "2026-11-04"]
    assert [str(date) for date in dirty_dates(known)] == report.usage_dates


def test_the_same_file_again_changes_nothing(known, load, write):
    path = write("x.ndjson", calls(1, 2), "nonsense\n")
    first = load(path)
    before = tables(known)
    again = load(path)
    assert (again.is_new, again.load_id, counts(again)) == (False, first.load_id, counts(first))
    assert tables(known) == before


def test_a_renamed_copy_is_all_duplicates_and_rebuilds_nothing(known, load, write, stored):
    load(write("x.ndjson", calls(1, 2, 3)))
    known.execute("update ops.usage_date_state set built_version = dirty_version")
    assert counts(load(write("copy.ndjson", calls(1, 2, 3)))) == (3, 0, 3, 0, 0)
    assert [id for id, _ in stored()] == ["1", "2", "3"]
    assert dirty_dates(known) == []


def test_a_resend_with_another_timestamp_counts_once(load, write, stored, rejected):
    load(write("x.ndjson", calls(1)))
    report = load(write("y.ndjson", calls(1, time="2026-11-05T10:00:00Z")))
    assert (report.inserted, report.usage_dates) == (0, [])
    assert stored() == [("1", 120)]
    assert rejected() == [("y.ndjson", 1, "conflict", "id")]


def test_a_resend_in_another_spelling_is_a_duplicate(load, write, rejected):
    load(write("x.ndjson", calls(1, revenue=2.5, properties={"a": 1, "b": 2})))
    again = calls(1, revenue="2.50", properties={"b": 2, "a": 1}, time="2026-11-02T08:30:00.000Z")
    assert counts(load(write("y.ndjson", again))) == (1, 0, 1, 0, 0)
    assert rejected() == []


def test_of_two_contents_the_first_stays_and_the_other_is_quarantined(known, load, write, stored):
    load(write("x.ndjson", calls(1, duration_seconds=60)))
    assert counts(load(write("y.ndjson", calls(2, 3), calls(1, duration_seconds=90)))) == (3, 2, 0, 1, 0)
    assert stored() == [("1", 60), ("2", 120), ("3", 120)]
    (payload,) = known.execute("select payload::jsonb from raw.rejected_events").fetchone()
    assert (payload["event_id"], payload["duration_seconds"], payload["source"]) == ("1", 90, "/phone")


def test_within_a_file_the_first_line_counts(load, write, stored, rejected):
    content = calls(1, duration_seconds=60) + calls(1, duration_seconds=60) + calls(1, duration_seconds=70) + calls(2)
    assert counts(load(write("x.ndjson", content))) == (4, 2, 1, 1, 0)
    assert stored() == [("1", 60), ("2", 120)]
    assert rejected() == [("x.ndjson", 3, "conflict", "id")]


def test_the_same_id_of_another_source_or_company_is_another_event(load, write, stored):
    other_source = {**event("1", TIME), "source": "/web"}
    assert load(write("x.ndjson", calls(1), other_source, event("1", TIME, "york"))).inserted == 3
    assert len(stored()) == 3


def test_bad_lines_are_quarantined_with_file_line_and_reason_while_the_rest_loads(known, load, write, stored, rejected):
    nobody = lines(event("4", TIME, "nobody"))
    content = [
        calls(1),
        "\n",
        "not json\n",
        calls(2),
        calls(3, duration_seconds="long"),
        nobody,
        b"\xff\xfe\n",
        calls(5),
    ]
    report = load(write("x.ndjson", *content))
    assert counts(report) == (7, 3, 0, 4, 0)
    assert [id for id, _ in stored()] == ["1", "2", "5"]
    assert rejected() == [
        ("x.ndjson", 3, "malformed_json", None),
        ("x.ndjson", 5, "invalid_field", "data.duration_seconds"),
        ("x.ndjson", 6, "unknown_company", "subject"),
        ("x.ndjson", 7, "malformed_json", None),
    ]
    payloads = [text for (text,) in known.execute("select payload from raw.rejected_events order by line")]
    assert payloads[0] == "not json"
    assert payloads[2] == nobody.rstrip("\n")
    assert payloads[3] == "\\xff\\xfe"


def test_nothing_that_a_line_can_say_stops_its_file(load, write):
    extremes = [
        {"customer": "\0"},
        {"properties": {"\0": "\0"}},
        {"properties": {"n": 1e308, "i": 10**40, "deep": [[[[[[]]]]]]}},
        {"quantity": "1e-999999"},
        {"quantity": "1e1000000000"},
        {"quantity": "0e1000000"},
        {"quantity": 99999999999998.9999999},
        {"quantity": "0." + "1" * 5000},
        {"revenue": "1E+13"},
        {"duration_seconds": 2**53},
        {"duration_seconds": 2**63},
        {"customer": "\\N"},
        {"customer": "\\."},
        {"customer": 'a","b\r\n\t\x7f\x01'},
        {"customer": "\u2028\u0085\ufffe\U0010ffff"},
        {"service": "x" * 512, "channel": "ü" * 512},
        {"service": "x" * (1 << 20)},
    ]
    rows = [event(f"{i}", TIME, **data) for i, data in enumerate(extremes)]
    damage = random.Random(7)
    long_keys = ["".join(map(chr, damage.choices(range(0x4E00, 0x9FFF), k=512))), "~" * 512]
    rows += [{**event("", TIME), "id": key, "source": key} for key in long_keys]
    rows += [
        event(f"t{i}", f"{year}-01-01T00:00:00{zone}")
        for i, year in enumerate(["0001", "1970", "9999"])
        for zone in ("Z", "+14:00")
    ]
    good = calls("good")
    fuzz = [bytes(damage.choices(range(256), k=damage.randrange(60))).replace(b"\n", b"") + b"\n" for _ in range(300)]
    fuzz += [
        good[: damage.randrange(len(good))] + chr(damage.randrange(1, 500)) + good[damage.randrange(len(good)) :]
        for _ in range(300)
    ]
    path = write("x.ndjson", *rows, *[part for part in fuzz if part.strip()], good, "{}\n" * 3)
    report = load(path, hold=HoldRule(hold_above=1))
    assert report.status == "published"
    assert report.read == report.inserted + report.duplicate + report.rejected
    assert report.inserted >= 10
    assert report.rejected > 300


@pytest.mark.parametrize(
    ("module", "stage"),
    [(loader.Publication, "finish"), (loader, "close_load"), (incoming, "quarantine"), (publish, "apply_voids")],
)
def test_a_failure_at_any_point_leaves_nothing(known, untouched, load, write, monkeypatch, module, stage):
    done = getattr(module, stage)

    def fail(*arguments):
        done(*arguments)
        raise RuntimeError("power cut")

    path = write("x.ndjson", calls(1, 2), "bad\n")
    monkeypatch.setattr(module, stage, fail)
    with pytest.raises(RuntimeError, match="power cut"):
        load(path)
    assert tables(known) == untouched
    monkeypatch.undo()
    assert counts(load(path)) == (3, 2, 0, 1, 0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(calls(*range(500)).encode())[:-9], "is truncated or its compression is damaged"),
        (zstd.compress(calls(*range(500)).encode())[:-9], "is truncated or its compression is damaged"),
        (calls(1).encode("utf-16"), "is UTF-16; convert it to UTF-8"),
    ],
    ids=["gzip", "zstd", "UTF-16"],
)
def test_of_a_file_that_can_not_be_read_nothing_is_taken_and_a_sentence_is_kept(
    known, untouched, load, write, content, sentence
):
    path = write("x.ndjson", content)
    report = load(path)
    assert (report.status, counts(report)) == ("failed", (0, 0, 0, 0, 0))
    assert report.message.startswith(f"x.ndjson {sentence}")
    assert known.execute("select status, message from raw.loads where feed = 'events'").fetchall() == [
        ("failed", report.message)
    ]
    assert tables(known) == {**untouched, "loads": untouched["loads"] + 1}


def test_a_file_that_vanished_is_reported_too(load, tmp_path):
    report = load(tmp_path / "gone.ndjson")
    assert (report.status, report.message) == ("failed", "gone.ndjson can't be read: No such file or directory")
    assert load(tmp_path / "gone.ndjson").status == "failed"


def test_a_repaired_file_takes_the_place_of_the_one_that_failed(known, load, write):
    load(write("x.ndjson", gzip.compress(calls(1).encode())[:-9]))
    assert load(write("x.ndjson", gzip.compress(calls(1).encode()))).status == "published"
    assert known.execute("select status from raw.loads where feed = 'events'").fetchall() == [("published",)]


def test_an_empty_file_is_loaded_and_says_nothing(load, write):
    report = load(write("x.ndjson"))
    assert (report.status, counts(report)) == ("published", (0, 0, 0, 0, 0))


def test_late_events_go_to_the_day_on_which_they_happened(known, load, write):
    load(write("x.ndjson", calls(1)))
    load(write("y.ndjson", calls(2, 3) + calls(4, time="2025-01-01T12:00:00Z")))
    days = known.execute("select usage_date::text, count(*) from raw.usage_events group by 1 order by 1").fetchall()
    assert days == [("2025-01-01", 1), ("2026-11-02", 3)]


def test_progress_tells_how_far_it_is(load, write):
    told = []
    load(write("x.ndjson", calls(*range(100))), progress=told.append)
    assert told[-1] == 100


def test_rows_and_filters_of_a_mapped_file_add_up(known, load, write, rejected):
    head = "call;day;time;site;customer;seconds;result\n"
    row = "{};02.11.2026;09:30:00;main;acme;{};{}\n"
    body = row.format(1, 60, "OK") + row.format(1, 60, "OK") + row.format(2, "x", "OK") + row.format(3, 1, "TEST")
    shifted = "4;29.03.2026;02:30:00;main;acme;60;OK\n"
    report = load(write("x.csv", head, body, "broken\n", shifted), mapping=SourceMapping.model_validate(MAPPING))
    assert counts(report) == (6, 2, 1, 2, 1)
    assert report.filtered_by == {"test calls": 1}
    assert rejected() == [("x.csv", 4, "invalid_field", "data.duration_seconds"), ("x.csv", 6, "malformed_row", None)]
    flags = known.execute("select local_minute, is_local_time_shifted from raw.usage_events order by 1").fetchall()
    assert flags == [(210, True), (570, False)]


def test_a_mapped_file_that_lacks_a_column_fails_with_its_name(load, write):
    report = load(write("x.csv", "call;day\n1;2\n"), mapping=SourceMapping.model_validate(MAPPING))
    assert report.status == "failed"
    assert report.message == ("x.csv lacks the columns that its mapping reads: customer, result, seconds, site, time")
