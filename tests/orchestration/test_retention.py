"""Old months leave the database when they are built, and nothing is built from what is no longer there."""

from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg.conninfo import make_conninfo
from psycopg.errors import LockNotAvailable
from typer.testing import CliRunner

from integrations.events.archive import Archive
from integrations.events.feeds import load_feed
from integrations.events.loader import load_events
from integrations.postgres.locks import WRITER_LOCK, exclusive
from integrations.postgres.usage_dates import capture_versions, mark_built, mark_dirty
from integrations.postgres.usage_partitions import partition_dates
from integrations.postgres.warehouse import Warehouse
from orchestration.cli import app
from orchestration.driver import RunFailed
from orchestration.partitions import range_tags
from orchestration.retention import archive_due, archived_among, dates_due, open_archive, refusal
from tests.feeds import company, event, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
JUNE, JULY = [date(2026, 6, 29), date(2026, 6, 30)], [date(2026, 7, 5), date(2026, 7, 6)]
MARTS = "select format('%%I.%%I', schemaname, relname) from pg_stat_user_tables where schemaname = 'marts'"


@pytest.fixture
def archive(tmp_path) -> Archive:
    return Archive(str(tmp_path / "archive"))


@pytest.fixture
def load(connection, tmp_path):
    """Load one event for each of these dates."""

    def load(name: str, *days: date):
        path = tmp_path / name
        path.write_text(lines(*(event(f"{name} {day}", f"{day}T09:00:00+02:00") for day in days)))
        return load_events(connection, path, NOW)

    path = tmp_path / "companies.ndjson"
    path.write_text(lines(company(activated_at="2026-06-01T00:00:00Z")))
    load_feed(connection, "companies", path, NOW)
    return load


@pytest.fixture
def built(connection, load):
    """Two dates of June and two of July, whose marts are built."""
    load("a", *JUNE, *JULY)
    mark_built(connection, capture_versions(connection, JUNE[0], JULY[1]))
    return connection


def test_months_that_are_old_and_built_are_due(built):
    assert dates_due(built, NOW, 90) == JUNE + JULY
    assert dates_due(built, NOW, 120) == JUNE
    assert dates_due(built, NOW, 365) == []


def test_a_month_with_a_date_that_is_not_built_stays(built):
    mark_dirty(built, [date(2026, 7, 20)])
    assert dates_due(built, NOW, 90) == JUNE


def test_a_month_with_a_date_of_which_no_build_is_known_stays(built):
    built.execute("delete from ops.usage_date_state where usage_date = %s", [JUNE[0]])
    assert dates_due(built, NOW, 90) == JULY


@pytest.mark.parametrize(("days_ago", "due"), [(6.9, JUNE), (7, JUNE + JULY)])
def test_a_month_that_was_brought_back_stays_for_seven_days(built, archive, days_ago, due):
    archive.archive(built, JULY[0], NOW - timedelta(days=20))
    archive.restore(built, [JULY[1]], NOW - timedelta(days=days_ago))
    assert dates_due(built, NOW, 90) == due


def test_a_month_of_which_only_a_part_was_archived_is_finished(built, archive):
    archive.archive(built, JULY[0], NOW)
    mark_dirty(built, [date(2026, 7, 20)])
    assert dates_due(built, NOW, 90) == [*JUNE, JULY[1]]


def test_what_is_due_is_archived_and_told(built, database_url, archive):
    told = []
    archived = archive_due(Warehouse(database_url), archive, NOW, 90, told.append)
    assert [(found.usage_date, found.rows) for found in archived] == [(day, 1) for day in JUNE + JULY]
    assert told == archived
    assert partition_dates(built) == []
    assert archived_among(built, [date(2026, 7, 1), date(2026, 8, 1)]) == [date(2026, 7, 1)]
    assert archive_due(Warehouse(database_url), archive, NOW, 90) == []


def test_a_month_that_a_load_changes_in_the_meantime_stays_whole(built, load, database_url, archive):
    def load_late(found):
        if found.usage_date == JUNE[1]:
            load("late", JULY[0])

    archived = archive_due(Warehouse(database_url), archive, NOW, 90, load_late)
    assert [found.usage_date for found in archived] == JUNE
    assert partition_dates(built) == JULY


def test_nothing_is_archived_while_a_build_is_under_way(built, database_url, archive):
    impatient = Warehouse(make_conninfo(database_url, options="-c lock_timeout=100ms"))
    with exclusive(database_url, WRITER_LOCK), pytest.raises(LockNotAvailable):
        archive_due(impatient, archive, NOW, 90)
    assert partition_dates(built) == JUNE + JULY


def test_a_refusal_names_the_months_and_the_way_out():
    two = refusal([date(2026, 2, 1), date(2026, 12, 1)])
    assert two.startswith("The events of 2026-02, 2026-12 lie in the archive")
    assert two.endswith(": usage-pricing restore 2026-02-01 2026-12-31")
    assert refusal([date(2026, 2, 1)]).endswith(": usage-pricing restore 2026-02-01 2026-02-28")


@pytest.mark.parametrize("url", ["nowhere://user:secret@host/x", "s3://user:secret@bucket/x?token=secret"])
def test_an_archive_that_can_not_be_used_says_so_without_its_credentials(monkeypatch, url):
    monkeypatch.setenv("ARCHIVE_URL", url)
    with pytest.raises(ValueError, match=r"ARCHIVE_URL .* can't be used") as raised:
        open_archive()
    assert "secret" not in str(raised.value)


@pytest.mark.long
def test_marts_of_an_archived_month_stay_as_they_are_until_it_is_restored(pipeline):
    pipeline.set_clock(NOW)
    calls = (event(str(day), f"{day}T09:00:00+02:00", revenue=5, currency="EUR") for day in [*JULY, date(2026, 11, 2)])
    pipeline.land("companies", "companies.ndjson", lines(company(activated_at="2026-06-01T00:00:00Z")))
    pipeline.land("events", "a.ndjson", lines(*calls))
    pipeline.tick("landing_files_sensor", "changed_usage_dates_sensor")
    marts = [name for (name,) in pipeline.rows(MARTS)]
    before = pipeline.fingerprint(*marts)
    assert pipeline.value("select sum(total_calls) from marts.fct_usage_monthly where usage_month = '2026-07-01'") == 2

    pipeline.driver.run("retention_job")
    assert pipeline.value("select count(*) from raw.usage_events") == 1
    with pipeline.connect() as connection:
        mark_dirty(connection, [date(2026, 7, 5)])
    assert pipeline.tick("changed_usage_dates_sensor") == []
    backfill = range_tags(JULY[0], date(2026, 8, 1))
    with pytest.raises(RunFailed, match=r"2026-07 lie in the archive.* usage-pricing restore 2026-07-01 2026-07-31"):
        pipeline.driver.run("usage_marts_job", backfill)
    assert pipeline.fingerprint(*marts) == before

    restored = CliRunner().invoke(app, ["restore", "2026-07-06", "2026-08-31"], env={"COLUMNS": "200"})
    assert "All of 2026-07 is back: 2 dates with 2 events" in restored.output
    pipeline.driver.run("usage_marts_job", backfill)
    assert pipeline.fingerprint(*marts) == before
    assert pipeline.tick("changed_usage_dates_sensor") == []
