"""The command line: bad input gets one clear sentence, nothing else is lost, and the exit code tells."""

import gzip

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from tests.feeds import PLANS, company, event, lines


@pytest.fixture
def run(pipeline):
    """Run the command line on the test's database, with one company known."""

    def invoke(*arguments: str):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    path = pipeline.land("unseen", "companies.ndjson", lines(company()))
    assert invoke("ingest", path, "--feed", "companies").exit_code == 0
    return invoke


GOOD = lines(event("1", "2026-10-01T09:00:00+02:00"))


def test_a_good_file_is_loaded_and_loading_it_again_changes_nothing(run, pipeline):
    path = pipeline.land("unseen", "good.ndjson", GOOD)
    assert "Read 1 = inserted 1" in run("ingest", path).output
    again = run("ingest", path)
    assert again.exit_code == 0
    assert "loaded before; nothing changed" in again.output
    assert pipeline.value("select count(*) from raw.usage_events") == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(GOOD.encode() * 500)[:-20], "is truncated or its compression is damaged"),
        (GOOD.encode("utf-16"), "is UTF-16; convert it to UTF-8"),
    ],
)
def test_an_unreadable_file_is_refused_as_a_whole_and_in_words(run, pipeline, content, sentence):
    result = run("ingest", pipeline.land("unseen", "broken.ndjson", content))
    assert result.exit_code == 1
    assert "broken.ndjson" in result.output
    assert sentence in result.output.replace("\n", " ")
    assert pipeline.value("select count(*) from raw.usage_events") == 0


@pytest.mark.parametrize(
    ("bad", "reason", "field"),
    [
        (b'{"id": "\xff"}', "malformed_json", None),
        (lines(event("2", "2026-10-01T09:00:00+02:00", key="nobody")).encode(), "unknown_company", "subject"),
        (lines({k: v for k, v in event("2", "").items() if k != "time"}).encode(), "missing_field", "time"),
        (
            lines(event("2", "2026-10-01T09:00:00+02:00", duration_seconds="long")).encode(),
            "invalid_field",
            "data.duration_seconds",
        ),
        (lines(event("2", "2026-10-01T09:00:00")).encode(), "naive_time", "time"),
        (
            lines(event("2", "2026-10-01T09:00:00+02:00", duration_seconds=-5)).encode(),
            "negative_duration",
            "data.duration_seconds",
        ),
    ],
)
def test_a_bad_line_is_quarantined_with_its_reason_while_the_rest_loads(run, pipeline, bad, reason, field):
    path = pipeline.land("unseen", "mixed.ndjson", bad.rstrip(b"\n") + b"\n" + GOOD.encode())
    result = run("ingest", path)
    assert result.exit_code == 0
    assert "inserted 1 + duplicate 0 + rejected 1" in result.output.replace("\n", " ")
    why = f"Rejected as {reason}{f' in {field}' if field else ''}: 1; first in line 1: "
    assert why in result.output
    assert why in run("loads", "show", str(pipeline.value("select max(load_id) from raw.loads"))).output
    query = """
        select loads.file_name, rejected.line, rejected.reason, rejected.field
        from raw.rejected_events as rejected join raw.loads as loads using (load_id)
    """
    assert pipeline.rows(query) == [("mixed.ndjson", 1, reason, field)]


def test_a_file_of_which_nothing_was_kept_says_how_it_is_read_again(run, pipeline):
    path = pipeline.land("unseen", "table.csv", "no,seconds\n1,60\n")
    assert "To have it read again" not in run("ingest", path).output
    again = run("ingest", path).output.replace("\n", "")
    assert "To have it read again, give it another name." in again


def test_an_unknown_time_zone_names_file_line_and_field(run, pipeline):
    rows = lines(company("good"), company("bad", time_zone="Mars/Phobos"))
    result = run("ingest", pipeline.land("unseen", "more.ndjson", rows), "--feed", "companies")
    assert result.exit_code == 0
    assert "more.ndjson line 2, field time_zone" in result.output.replace("\n", " ")
    assert pipeline.value("select count(*) from raw.companies") == 2


def test_overlapping_tiers_refuse_the_whole_catalogue(run, pipeline):
    tiers = '[{up_to: "500", unit_price: "1"}, {up_to: "500", unit_price: "2"}, {up_to: null, unit_price: "3"}]'
    charge = f"{{model: graduated, meter: calls, tiers: {tiers}}}"
    broken = PLANS.replace("    charges:\n", f"    charges:\n      - {charge}\n", 1)
    result = run("ingest", pipeline.land("unseen", "plans.yaml", broken), "--feed", "plans")
    assert result.exit_code == 1
    assert "plans.yaml: plan per_minute v1, charges[0].tiers[1].up_to" in result.output.replace("\n", " ")
    assert pipeline.value("select count(*) from raw.plans") == 0


def test_a_plan_in_use_is_never_edited_and_a_second_version_is_added(run, pipeline):
    assert run("ingest", pipeline.land("unseen", "plans.yaml", PLANS), "--feed", "plans").exit_code == 0
    edited = PLANS.replace('"49.00"', '"59.00"')
    result = run("ingest", pipeline.land("unseen", "edited.yaml", edited), "--feed", "plans")
    assert "plan per_minute v1 is known with other terms" in result.output.replace("\n", " ")
    added = edited.replace("version: 1", "version: 2", 1)
    assert run("ingest", pipeline.land("unseen", "added.yaml", added), "--feed", "plans").exit_code == 0
    assert pipeline.rows(
        "select version, terms ->> 'monthly_base_fee' from raw.plans where plan_key = 'per_minute'"
    ) == [
        (1, "49.00"),
        (2, "59.00"),
    ]


def test_a_feed_that_does_not_exist_is_a_usage_error(run, pipeline):
    result = run("ingest", pipeline.land("unseen", "good.ndjson", GOOD), "--feed", "invoices")
    assert result.exit_code == 2


def test_a_held_load_is_listed_and_released(run, pipeline):
    events = [event(str(number), "2026-10-01T09:00:00+02:00") for number in range(20)]
    path = pipeline.land("unseen", "held.ndjson", lines(*events) + "nonsense\n" * 15)
    assert "held" in run("ingest", path).output
    load_id = pipeline.value("select load_id from raw.loads where status = 'held'")
    assert "held.ndjson" in run("loads", "list").output
    assert "20 events inserted" in run("loads", "release", load_id).output
    assert "No load waits." in run("loads", "list").output


def test_the_go_live_date_is_set_and_a_wrong_one_is_refused(run, pipeline):
    assert run("go-live", "2026-11-01").exit_code == 0
    assert pipeline.value("select value from ops.settings where name = 'go_live_date'") == "2026-11-01"
    assert run("go-live", "tomorrow").exit_code == 2


def test_status_says_what_the_warehouse_holds(run):
    output = run("status").output
    assert "companies" in output
    assert "real time" in output


@pytest.mark.parametrize(
    "command", ["up", "down", "status", "alerts", "demo", "dev", "ingest", "simulate", "world", "reset", "go-live"]
)
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output
