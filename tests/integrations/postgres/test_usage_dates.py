import time
from datetime import date, timedelta
from threading import Thread

import psycopg
import pytest

from integrations.postgres.usage_dates import (
    capture_versions,
    dirty_dates,
    mark_built,
    mark_dirty_from,
    open_calendar,
)

FIRST = date(2026, 11, 1)
DAYS = [FIRST + timedelta(days=i) for i in range(5)]


def mark(connection, *days, version=1):
    for day in days:
        connection.execute(
            "insert into ops.usage_date_state as state (usage_date, dirty_version) values (%s, %s)"
            " on conflict (usage_date) do update set dirty_version = state.dirty_version + 1",
            [day, version],
        )


def build(connection, first=DAYS[0], last=DAYS[-1]):
    mark_built(connection, capture_versions(connection, first, last))


def test_a_date_is_dirty_until_it_is_built(connection):
    mark(connection, DAYS[2], DAYS[0])
    assert dirty_dates(connection) == [DAYS[0], DAYS[2]]
    build(connection)
    assert dirty_dates(connection) == []


def test_a_build_clears_only_the_dates_of_its_range_both_ends_included(connection):
    mark(connection, *DAYS)
    build(connection, DAYS[1], DAYS[3])
    assert dirty_dates(connection) == [DAYS[0], DAYS[4]]


def test_what_is_marked_during_a_build_stays_dirty(connection):
    mark(connection, *DAYS[:2])
    versions = capture_versions(connection, DAYS[0], DAYS[1])
    mark(connection, DAYS[1])
    mark_built(connection, versions)
    assert dirty_dates(connection) == [DAYS[1]]


def test_a_slow_build_does_not_undo_a_later_one(connection):
    mark(connection, DAYS[0])
    early = capture_versions(connection, DAYS[0], DAYS[0])
    mark(connection, DAYS[0])
    build(connection)
    mark_built(connection, early)
    assert dirty_dates(connection) == []


def test_building_nothing_marks_nothing(connection):
    mark_built(connection, capture_versions(connection, DAYS[0], DAYS[-1]))
    assert dirty_dates(connection) == []


def test_the_calendar_opens_every_date_from_the_first_one_to_today(connection):
    mark(connection, DAYS[1])
    build(connection)
    open_calendar(connection, DAYS[4])
    assert dirty_dates(connection) == DAYS[2:]
    build(connection)
    open_calendar(connection, DAYS[4])
    assert dirty_dates(connection) == []


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_the_calendar_has_every_date_across_a_change_of_clocks_in_any_session(connection, zone):
    connection.execute(f"set timezone = '{zone}'".encode())
    mark(connection, date(2026, 10, 30))
    open_calendar(connection, date(2026, 11, 3))
    assert dirty_dates(connection) == [date(2026, 10, 30) + timedelta(days=i) for i in range(5)]


def test_without_any_usage_there_is_no_calendar(connection):
    open_calendar(connection, DAYS[4])
    assert dirty_dates(connection) == []


def test_the_calendar_leaves_dates_ahead_of_today_alone(connection):
    mark(connection, DAYS[4])
    open_calendar(connection, DAYS[0])
    assert dirty_dates(connection) == [DAYS[4]]


def test_marking_from_a_date_on_leaves_earlier_and_unknown_dates_alone(connection):
    mark(connection, DAYS[0], DAYS[1], DAYS[3])
    build(connection)
    mark_dirty_from(connection, DAYS[1])
    assert dirty_dates(connection) == [DAYS[1], DAYS[3]]


def test_marking_from_a_date_on_during_a_build_keeps_it_dirty(connection):
    mark(connection, *DAYS)
    versions = capture_versions(connection, DAYS[0], DAYS[-1])
    mark_dirty_from(connection, DAYS[3])
    mark_built(connection, versions)
    assert dirty_dates(connection) == DAYS[3:]


@pytest.mark.parametrize(
    "write",
    [
        lambda connection: mark_built(connection, {DAYS[1]: 1, DAYS[0]: 1}),
        lambda connection: mark_dirty_from(connection, DAYS[0]),
    ],
    ids=["mark_built", "mark_dirty_from"],
)
def test_a_load_and_a_build_lock_dates_in_the_same_order(connection, database_url, write):
    connection.execute("truncate ops.usage_date_state")
    mark(connection, *DAYS[:2])
    mark(connection, DAYS[0])  # its row now lies behind that of the later date
    faults = []

    def other():
        with psycopg.connect(database_url, autocommit=True) as second:
            second.execute("set enable_indexscan = off")
            second.execute("set enable_bitmapscan = off")
            try:
                write(second)
            except psycopg.errors.DeadlockDetected as error:
                faults.append(error)

    thread = Thread(target=other)
    with connection.transaction():
        mark(connection, DAYS[0])
        thread.start()
        while connection.execute("select count(*) from pg_locks where not granted").fetchone() == (0,):
            time.sleep(0.01)
        mark(connection, DAYS[1])
    thread.join(10)
    assert faults == []


def test_dates_of_an_archived_month_wait_until_it_is_brought_back(connection):
    mark(connection, date(2026, 10, 31), DAYS[0])
    connection.execute(
        "insert into raw.archived_dates (usage_date, location, count_rows, checksum, archived_at)"
        " values ('2026-11-30', 'x', 0, 0, now())"
    )
    assert dirty_dates(connection) == [date(2026, 10, 31)]
    connection.execute("update raw.archived_dates set restored_at = now()")
    assert dirty_dates(connection) == [date(2026, 10, 31), DAYS[0]]
