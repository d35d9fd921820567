"""Several processes load at the same time, and one of them dies."""

import json
import os
import time
from collections import Counter

import psycopg
import pytest

from integrations.events.feeds import load_feed
from integrations.events.loader import load_events
from integrations.postgres.usage_dates import dirty_dates
from tests.feeds import company, event, lines
from tests.integrations.events.conftest import NOW
from tests.integrations.events.left_behind import counts_that_do_not_add_up, left_behind
from tests.integrations.events.test_loader import calls, counts, tables
from tests.integrations.postgres.processes import FORK, at_the_same_time, start


def loads(url, *paths):
    """Load files one after the other on a connection of one's own."""

    def load():
        with psycopg.connect(url, autocommit=True) as connection:
            return [load_events(connection, path, NOW) for path in paths]

    return load


@pytest.fixture
def overlapping(write):
    """Three files; each shares events with the others, on the same and on other days."""
    ids = {"a": range(60), "b": range(30, 90), "c": [*range(20), *range(80, 120)]}
    return [
        write(f"{name}.ndjson", lines(*[event(str(i), f"2026-11-{i % 9 + 1:02}T09:00:00Z") for i in found]))
        for name, found in ids.items()
    ]


def test_two_loaders_of_overlapping_files_give_the_same_table_as_one(known, database_url, overlapping, stored):
    answers = at_the_same_time(loads(database_url, *overlapping), loads(database_url, *overlapping[::-1]))
    reports = [report for answer in answers for report in answer]
    assert stored() == [(str(i), 120) for i in sorted(range(120), key=str)]
    assert known.execute("select count(*) from raw.event_keys").fetchone() == (120,)
    assert sorted(report.file_name for report in reports if report.is_new) == ["a.ndjson", "b.ndjson", "c.ndjson"]
    new = [report for report in reports if report.is_new]
    assert sum(report.inserted for report in new) == 120
    assert sum(report.duplicate for report in new) == sum(report.read for report in new) - 120
    assert len(dirty_dates(known)) == 9


@pytest.fixture
def contradicting(write):
    """Three files that say different things of some events, and take back some, also before and after they arrive."""
    paths = []
    for number, name in enumerate("abc"):
        calls = [
            event(str(i), f"2026-11-{i % 9 + 1:02}T09:00:00Z", duration_seconds=number if i % 10 == 0 else 120)
            for i in range(number * 30, number * 30 + 90)
        ]
        takes_back = [event(f"v{i}", "2026-11-12T09:00:00Z", type="void", voids=str(i)) for i in range(number, 150, 7)]
        paths.append(write(f"{name}.ndjson", lines(*takes_back[::2], *calls, *takes_back[1::2])))
    return paths


def test_three_loaders_of_contradicting_files_accept_each_event_once_and_keep_the_rest(
    known, database_url, contradicting
):
    a, b, c = contradicting
    orders = [(a, b, c), (c, a, b), (b, c, a)]
    at_the_same_time(*[loads(database_url, *order) for order in orders])
    left = left_behind(known)
    assert counts_that_do_not_add_up(known) == []
    accepted = {row["event"]["event_id"]: row["event"] for row in left["usage_events"]}
    voids = {str(i) for number in range(3) for i in range(number, 150, 7)}
    assert sorted(accepted) == sorted([*map(str, range(150)), *[f"v{i}" for i in voids]])
    assert len(left["usage_events"]) == len(left["event_keys"]) == len(accepted)
    assert {(row["event_id"], row["usage_date"]) for row in left["voids"]} == {
        (i, accepted[i]["usage_date"]) for i in voids
    }
    refused = [json.loads(row["payload"]) for row in left["rejected_events"]]
    said = Counter((e["event_id"], e["duration_seconds"]) for e in [*accepted.values(), *refused])
    told = {(str(i), number) for number in range(3) for i in range(number * 30, number * 30 + 90) if i % 10 == 0}
    assert {pair for pair in said if pair[1] != 120 and not pair[0].startswith("v")} == told
    assert set(said.values()) == {1}


def test_four_loaders_of_one_file_load_it_once(known, database_url, overlapping, stored):
    answers = at_the_same_time(*[loads(database_url, overlapping[0])] * 4)
    assert sorted(report.is_new for (report,) in answers) == [False, False, False, True]
    assert len({counts(report) for (report,) in answers}) == 1
    assert len(stored()) == 60


def test_four_loaders_of_one_broken_file_keep_one_failure(known, database_url, write):
    path = write("x.ndjson", calls(1).encode("utf-16"))
    answers = at_the_same_time(*[loads(database_url, path)] * 4)
    assert {report.status for (report,) in answers} == {"failed"}
    assert known.execute("select count(*) from raw.loads where status = 'failed'").fetchone() == (1,)


def test_two_feeds_at_once_give_each_company_one_id(known, database_url, write):
    path = write("many.ndjson", lines(*[company(f"c{i}") for i in range(20)]))
    copy = write("copy.ndjson", path.read_bytes())

    def feed(file):
        def load():
            with psycopg.connect(database_url, autocommit=True) as connection:
                return load_feed(connection, "companies", file, NOW)

        return load

    reports = at_the_same_time(feed(path), feed(copy))
    assert sorted((report.inserted, report.duplicate) for report in reports) == [(0, 20), (20, 0)]
    assert known.execute("select count(*) from raw.companies where name like 'C%'").fetchone() == (20,)


def test_a_loader_that_is_killed_leaves_nothing_and_the_next_one_succeeds(known, database_url, write, load):
    path = write("x.ndjson", calls(*range(50)), "bad\n")
    before = tables(known)
    reader, writer = FORK.Pipe(duplex=False)

    def halfway(lines_read):
        writer.send(lines_read)
        time.sleep(60)

    def die():
        with psycopg.connect(database_url, autocommit=True) as connection:
            load_events(connection, path, NOW, progress=halfway)

    child = start(die)
    assert reader.poll(10)
    assert reader.recv() == 51
    os.kill(child.pid, 9)
    child.join(10)
    assert tables(known) == before
    assert counts(load(path)) == (51, 50, 0, 1, 0)
