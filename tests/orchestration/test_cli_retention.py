"""Archive, restore, history and erasure on the command line."""

import re
from datetime import UTC, date, datetime

import pytest
from typer.testing import CliRunner

from integrations.events.feeds import load_feed
from integrations.events.loader import load_events
from integrations.postgres.locks import WRITER_LOCK, exclusive
from integrations.postgres.usage_dates import capture_versions, mark_built
from orchestration.cli import app
from tests.feeds import company, event, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OLD, NEW = "2026-07-05T09:00:00+02:00", "2026-11-05T09:00:00+01:00"


@pytest.fixture
def run(pipeline):
    """Run the command line on a world with an old and a new event, both built; gives exit code and output."""
    pipeline.set_clock(NOW)
    with pipeline.connect() as connection:
        load_feed(connection, "companies", pipeline.land("unseen", "c.ndjson", lines(company())), NOW)
        events = lines(event("old", OLD), event("new", NEW))
        load_events(connection, pipeline.land("unseen", "e.ndjson", events), NOW)
        mark_built(connection, capture_versions(connection, date(2026, 1, 1), date(2026, 12, 31)))

    def invoke(*arguments, **options):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"}, **options)
        return result.exit_code, re.sub(r"\s+", " ", result.output).strip()

    return invoke


@pytest.fixture
def archived(run):
    assert run("archive")[0] == 0
    return run


@pytest.fixture
def stored(pipeline):
    return lambda: [id for (id,) in pipeline.rows("select event_id from raw.usage_events order by 1")]


def test_a_dry_run_says_what_would_go_and_nothing_goes(run, stored):
    code, output = run("archive", "--dry-run")
    assert (code, output) == (0, "2026-07: 1 dates would go into the archive. Nothing was archived.")
    assert stored() == ["new", "old"]


def test_what_is_due_goes_once(run, stored, pipeline, tmp_path):
    code, output = run("archive")
    assert (code, output) == (0, f"1 dates with 1 events are in the archive at {tmp_path / 'archive'}.")
    assert stored() == ["new"]
    assert run("archive") == (0, "Nothing is due. A month goes 90 days after its end, once it is built.")


def test_the_retention_is_a_setting(run, stored, monkeypatch):
    monkeypatch.setenv("RAW_RETENTION_DAYS", "365")
    run("archive")
    assert stored() == ["new", "old"]


def test_whole_months_come_back(archived, stored):
    code, output = archived("restore", "2026-07-20", "2026-07-21")
    assert code == 0
    assert output == "All of 2026-07 is back: 1 dates with 1 events, for at least seven days."
    assert stored() == ["new", "old"]
    assert "No month between" in archived("restore", "2026-07-20", "2026-07-21")[1]


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [("July", "2026-07-01", "July is no date"), ("2026-07-02", "2026-07-01", "2026-07-01 lies before 2026-07-02")],
)
def test_dates_that_can_not_be_are_usage_errors(archived, stored, first, last, sentence):
    code, output = archived("restore", first, last)
    assert code == 2
    assert sentence in output
    assert stored() == ["new"]


def test_history_brings_the_month_back_and_takes_what_belongs_to_it(archived, pipeline, stored):
    path = pipeline.land("unseen", "h.ndjson", lines(event("late", OLD)))
    assert archived("ingest", path, "--history")[0] == 0
    assert stored() == ["late", "new", "old"]


def test_a_file_that_came_too_late_is_taken_by_history_although_it_was_loaded_before(archived, pipeline, stored):
    path = pipeline.land("unseen", "h.ndjson", lines(event("late", OLD)))
    assert archived("ingest", path)[0] == 1
    assert stored() == ["new"]
    code, output = archived("ingest", path, "--history")
    assert code == 0
    assert "it was loaded before; its late events are taken now" in output
    assert "1 of its refused lines are taken as load" in output
    assert stored() == ["late", "new", "old"]
    assert "nothing changed" in archived("ingest", path, "--history")[1]


@pytest.mark.parametrize("other", [("--dry-run",), ("--feed", "companies")])
def test_history_is_for_loading_events_only(run, pipeline, other):
    code, output = run("ingest", pipeline.land("unseen", "h.ndjson", ""), "--history", *other)
    assert code == 2
    assert "it is for loading events" in output


@pytest.mark.parametrize(("options", "expected"), [((), ["new"]), (("--history",), ["late", "new", "old"])])
def test_late_lines_are_replayed_only_with_history(archived, pipeline, stored, options, expected):
    archived("ingest", pipeline.land("unseen", "h.ndjson", lines(event("late", OLD))))
    assert archived("loads", "replay", *options)[0] == 0
    assert stored() == expected


@pytest.mark.parametrize(("options", "expected"), [((), ["new"]), (("--history",), ["late", "new", "old"])])
def test_a_held_load_brings_months_back_only_with_history(archived, pipeline, stored, options, expected):
    archived("ingest", pipeline.land("unseen", "h.ndjson", lines(event("late", OLD)) + "bad\n" * 20))
    load = pipeline.value("select load_id from raw.loads where status = 'held'")
    assert archived("loads", "release", load, *options)[0] == 0
    assert stored() == expected


def test_one_load_is_replayed_by_a_given_mapping(run, pipeline, stored):
    text = """
time_zone: Europe/Berlin
time: {columns: [at], format: "%d.%m.%Y %H:%M"}
event: {id: "{no}", source: /desk, type: call, subject: "{who}"}
"""
    wrong, right = (
        pipeline.land("unseen", "wrong.yaml", text),
        pipeline.land("unseen", "right.yaml", f"{text}values: {{subject: {{ACME: acme}}}}\n"),
    )
    table = pipeline.land("unseen", "calls.csv", "no,who,at\nc-1,ACME,05.11.2026 09:00\n")
    assert run("ingest", table, "--mapping", wrong)[0] == 1
    load = pipeline.value("select max(load_id) from raw.loads")
    assert run("loads", "replay", "--mapping", right)[0] == 2
    assert f"load {load}: none of its refused lines is accepted today" in run("loads", "replay", load)[1]
    code, output = run("loads", "replay", load, "--mapping", right)
    assert code == 0
    assert f"load {load}: 1 of its refused lines are taken as load" in output
    assert stored() == ["c-1", "new", "old"]
    assert run("loads", "replay")[1] == "No load has refused lines that could be judged otherwise."


def test_a_load_that_can_not_be_replayed_fails_in_words(run):
    code, output = run("loads", "replay", "4711")
    assert code == 1
    assert "Load 4711 is no published load of events" in output


def test_the_settings_say_when_a_load_is_held(run, pipeline, monkeypatch):
    monkeypatch.setenv("LOAD_HOLD_ABOVE", "1")
    path = pipeline.land("unseen", "h.ndjson", lines(event("x", NEW)) + "bad\n" * 20)
    assert "published" in run("ingest", path)[1]


def test_status_counts_what_is_archived_and_forgets_what_was_replayed(archived, pipeline):
    assert "archived dates 1" in archived("status")[1]
    archived("ingest", pipeline.land("unseen", "h.ndjson", lines(event("x", NEW, "late-co"))))
    assert "rejected lines 1" in archived("status")[1]
    archived("ingest", pipeline.land("unseen", "late.ndjson", lines(company("late-co"))), "--feed", "companies")
    archived("loads", "replay")
    assert "rejected lines 0" in archived("status")[1]


def test_erasure_asks_first_and_without_a_yes_changes_nothing(archived, pipeline):
    code, output = archived("erase", "--company", "acme", "--customer", "c-1", input="n\n")
    assert code == 1
    assert "Erase the customer c-1 of acme for ever?" in output
    assert pipeline.value("select customer from raw.usage_events") == "c-1"


def test_erasure_says_what_was_changed_and_which_file_is_left(archived, pipeline):
    code, output = archived("erase", "--company", "acme", "--customer", "c-1", "--reference", "T-1", "--yes")
    assert code == 0
    pseudonym = pipeline.value("select customer from raw.usage_events")
    assert f"{pseudonym} stands for the customer now" in output
    assert re.search(r"archive\W+1 rows changed", output)
    assert re.search(r"raw.usage_events\W+1 rows changed", output)
    assert "The landed file e.ndjson still names the customer" in output
    assert pipeline.value("select reference from ops.erasures") == "T-1"
    again = archived("erase", "--company", "acme", "--customer", "c-1", "--yes")
    assert again == (0, "Neither the database nor the archive names this customer; nothing was changed.")


def test_erasure_waits_for_a_build_and_for_the_archive(archived, pipeline, monkeypatch):
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=100ms")
    with exclusive(pipeline.warehouse.url, WRITER_LOCK):
        assert archived("erase", "--company", "acme", "--customer", "c-1", "--yes")[0] == 1
    assert pipeline.value("select customer from raw.usage_events") == "c-1"


@pytest.mark.parametrize("command", [("archive",), ("restore",), ("erase",), ("loads", "replay")])
def test_every_command_explains_itself_with_an_example(command):
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Example: usage-pricing" in result.output
