"""Raw events of old months leave the database only when their file was read back, and come back as they were."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.events.archive import Archive, ArchiveBusy, ArchiveDamaged
from integrations.events.retention import dates_to_archive, retention_days
from integrations.postgres import usage_partitions
from tests.feeds import event
from tests.integrations.events.conftest import NOW

DAY, NEXT = date(2026, 7, 5), date(2026, 7, 6)
ODD = 'quoted "x", a\nline, \\N, ünï €'
EVENTS = (
    event("1", "2026-07-05T09:00:00+02:00", revenue=12.5, currency="EUR", service="", note=ODD)
    | {
        "data": {
            "customer": ODD,
            "quantity": 0.000001,
            "revenue": "12345678901234.5",
            "branch": "main",
            "x": {"y": [1]},
        }
    },
    event("2", "2026-07-05T23:59:59.999999+02:00", customer="null"),
    event("3", "2026-07-06T00:00:00+02:00", type="appointment", outcome="t"),
)


@pytest.fixture
def archive(tmp_path) -> Archive:
    return Archive((tmp_path / "archive").as_uri())


@pytest.fixture
def snapshot(known):
    query = "select e::text from raw.usage_events as e order by 1"
    return lambda: known.execute(query).fetchall()


@pytest.fixture
def filled(known, load, write):
    load(write("a.ndjson", *EVENTS))
    return known


def partitions(connection):
    return {
        name
        for (name,) in connection.execute(
            "select relid::regclass::text from pg_partition_tree('raw.usage_events') where isleaf"
        )
    }


def test_what_is_archived_leaves_the_database_and_comes_back_as_it_was(filled, archive, snapshot):
    before = snapshot()
    archived = [archive.archive(filled, day, NOW) for day in (DAY, NEXT)]
    assert [(found.usage_date, found.rows) for found in archived] == [(DAY, 2), (NEXT, 1)]
    assert snapshot() == []
    assert partitions(filled) == set()
    restored = archive.restore(filled, [NEXT], NOW)
    assert [found.usage_date for found in restored] == [DAY, NEXT]
    assert snapshot() == before
    assert len(before) == 3


def test_it_works_on_any_file_system(filled, snapshot):
    archive, before = Archive("memory://an/archive"), snapshot()
    archive.archive(filled, DAY, NOW)
    archive.restore(filled, [DAY], NOW)
    assert snapshot() == before


def test_a_row_that_is_longer_than_a_block_comes_back_as_it_was(filled, archive, load, write, snapshot):
    load(write("long.ndjson", event("9", "2026-07-05T10:00:00+02:00", x=[1e308] * 28_000)))
    before = snapshot()
    assert max(len(row) for (row,) in before) > 1 << 23
    archive.archive(filled, DAY, NOW)
    archive.restore(filled, [DAY], NOW)
    assert snapshot() == before


def test_restoring_twice_or_what_was_never_archived_changes_nothing(filled, archive, snapshot):
    archive.archive(filled, DAY, NOW)
    archive.restore(filled, [DAY], NOW)
    before = snapshot()
    assert archive.restore(filled, [DAY, date(2020, 1, 1)], NOW) == []
    assert snapshot() == before


def test_a_date_may_be_archived_again_after_more_events_have_come(filled, archive, load, write, snapshot):
    archive.archive(filled, DAY, NOW)
    archive.restore(filled, [DAY], NOW)
    load(write("b.ndjson", event("4", "2026-07-05T10:00:00+02:00")))
    before = snapshot()
    assert archive.archive(filled, DAY, NOW).rows == 3
    archive.restore(filled, [DAY], NOW)
    assert snapshot() == before


def damage_by_cutting(path: Path):
    path.write_bytes(path.read_bytes()[:-20])


def damage_by_another_file(path: Path):
    path.write_bytes((path.parent / f"{NEXT}.parquet").read_bytes())


@pytest.mark.parametrize("damage", [damage_by_cutting, damage_by_another_file, Path.unlink])
def test_a_damaged_file_restores_nothing_and_says_which_it_is(filled, archive, tmp_path, snapshot, damage):
    for day in (DAY, NEXT):
        archive.archive(filled, day, NOW)
    damage(tmp_path / f"archive/usage_events/2026-07/{DAY}.parquet")
    with pytest.raises(ArchiveDamaged, match=f"{DAY}.parquet"):
        archive.restore(filled, [DAY], NOW)
    assert snapshot() == []
    waiting = filled.execute("select count(*) from raw.archived_dates where restored_at is null").fetchone()
    assert waiting == (2,)


def test_what_somebody_reads_is_not_dropped_and_keeps_nobody_waiting(
    filled, archive, database_url, snapshot, monkeypatch
):
    before = snapshot()
    drop = usage_partitions.drop_partition

    def at_once(connection, day):
        connection.execute("set local statement_timeout = '20s'")
        drop(connection, day)

    monkeypatch.setattr("integrations.events.archive.drop_partition", at_once)
    monkeypatch.setattr(usage_partitions, "LONGEST_WAIT", "100ms")
    with psycopg.connect(database_url) as reader:
        reader.execute("select count(*) from raw.usage_events")
        with pytest.raises(ArchiveBusy, match="are being read at this moment"):
            archive.archive(filled, DAY, NOW)
    assert snapshot() == before
    assert archive.archive(filled, DAY, NOW).rows == 2


def test_nothing_is_dropped_when_what_was_written_is_not_what_is_read(filled, archive, snapshot, monkeypatch):
    before = snapshot()
    write = Archive._write

    def lose_a_row(self, connection, where, location, *table):
        filled.execute("create temporary table fewer as select * from raw.usage_events where event_id = '1'")
        from psycopg import sql

        write(self, connection, sql.SQL(""), location, sql.Identifier("fewer"))

    monkeypatch.setattr(Archive, "_write", lose_a_row)
    with pytest.raises(ArchiveDamaged):
        archive.archive(filled, DAY, NOW)
    assert snapshot() == before


def test_a_new_event_of_an_archived_month_is_too_late_but_a_known_one_is_a_duplicate(
    filled, archive, load, write, rejected, snapshot
):
    archive.archive(filled, DAY, NOW)
    before = snapshot()
    fresh = (event("9", "2026-07-05T10:00:00+02:00"), event("9", "2026-07-05T10:00:00+02:00"))
    report = load(write("b.ndjson", *EVENTS, *fresh, event("10", "2026-07-30T10:00:00+02:00")))
    assert (report.inserted, report.duplicate, report.rejected) == (0, 3, 3)
    assert [(line, reason) for _, line, reason, _ in rejected()] == [(4, "too_late"), (5, "too_late"), (6, "too_late")]
    assert snapshot() == before


def test_a_void_of_an_archived_event_is_too_late(filled, archive, load, write, rejected):
    archive.archive(filled, DAY, NOW)
    report = load(write("b.ndjson", event("v", "2026-11-01T10:00:00+02:00", type="void", voids="1")))
    assert (report.inserted, report.rejected) == (0, 1)
    assert [reason for _, _, reason, _ in rejected()] == ["too_late"]
    assert filled.execute("select count(*) from raw.voids").fetchone() == (0,)


def test_history_brings_the_month_back_first(filled, archive, load, write, snapshot):
    before = snapshot()
    for day in (DAY, NEXT):
        archive.archive(filled, day, NOW)
    report = load(
        write("b.ndjson", event("9", "2026-07-05T10:00:00+02:00"), event("1999", "2019-01-05T10:00:00+02:00")),
        restore=lambda connection, dates: archive.restore(connection, dates, NOW),
    )
    assert (report.inserted, report.usage_dates) == (2, ["2019-01-05", "2026-07-05"])
    assert set(before) < set(snapshot())
    assert len(snapshot()) == 5


@given(
    st.sets(st.dates(date(2025, 1, 1), date(2026, 12, 31))),
    st.sets(st.dates(date(2025, 1, 1), date(2026, 12, 31)), max_size=5),
    st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    st.integers(1, 400),
)
def test_only_whole_months_that_are_old_and_built_go(partitions, unbuilt, today, days):
    due = dates_to_archive(partitions, unbuilt, today, days)
    months = {(day.year, day.month) for day in due}
    assert due == sorted(day for day in partitions if (day.year, day.month) in months)
    assert not months & {(day.year, day.month) for day in unbuilt}
    for day in due:
        end = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        assert (today - end).days >= days


def test_a_month_goes_on_the_day_on_which_its_last_date_is_old_enough():
    assert dates_to_archive([DAY], [], date(2026, 10, 29), 90) == []
    assert dates_to_archive([DAY], [], date(2026, 10, 30), 90) == [DAY]


def test_retention_is_a_setting_in_days():
    assert (retention_days({}), retention_days({"RAW_RETENTION_DAYS": "365"})) == (90, 365)


@pytest.mark.parametrize("written", ["0", "-1", "3 months", "1.5"])
def test_a_retention_that_is_no_number_of_days_is_an_error_that_names_it(written):
    with pytest.raises(ValueError, match="RAW_RETENTION_DAYS"):
        retention_days({"RAW_RETENTION_DAYS": written})


def test_the_clock_of_an_archive_is_given(filled, archive):
    archive.archive(filled, DAY, datetime(2030, 1, 1, tzinfo=UTC))
    assert filled.execute("select archived_at::date::text from raw.archived_dates").fetchone() == ("2030-01-01",)
