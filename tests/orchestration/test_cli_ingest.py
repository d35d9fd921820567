"""A dry run tells what would become of a file, and leaves no trace in the warehouse."""

import gzip
import re

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from tests.feeds import company, event, lines

MAPPING = """
delimiter: ";"
time: {columns: [at], format: iso8601}
event: {id: "{id}", source: /pbx, type: call, subject: "{who}", data: {revenue: "{price}"}}
numbers: {revenue: {decimal_mark: ","}}
filters: [{name: tests, column: who, equals: test}]
"""
TABLE = """id;at;who;price
1;2026-10-01T23:30:00Z;acme;1.234,50
2;2026-10-01T10:00:00Z;test;0
3;yesterday;acme;0
4;2026-10-01T10:00:00Z;[red]nobody;0
5;tomorrow;acme;0
"""
GOOD = lines(*(event(f"e-{number}", "2026-10-01T09:00:00+02:00") for number in range(7)))


@pytest.fixture
def run(pipeline):
    """Try a file, and see that the warehouse is as it was."""

    def invoke(*arguments: str):
        result = CliRunner().invoke(app, ["ingest", *map(str, arguments)], env={"COLUMNS": "200"})
        return result.exit_code, re.sub(r"\s+", " ", result.output)

    path = pipeline.land("unseen", "companies.ndjson", lines(company()))
    assert invoke(path, "--feed", "companies")[0] == 0
    tables = [".".join(names) for names in pipeline.rows("select schemaname, relname from pg_stat_user_tables")]
    before = pipeline.fingerprint(*tables)
    yield lambda *arguments: invoke(*arguments, "--dry-run")
    assert pipeline.fingerprint(*tables) == before


def test_a_foreign_table_is_shown_as_it_would_be_loaded(run, pipeline):
    path = pipeline.land("unseen", "calls.csv", TABLE)
    code, output = run(path, "--mapping", pipeline.land("unseen", "calls.yaml", MAPPING))
    assert code == 0
    for cell in ("2026-10-01 23:30:00", "2026-10-02", "acme", "call", "1234.50 EUR"):
        assert cell in output
    assert "calls.csv: read 5 = would be accepted 1 + rejected 3 + filtered 1." in output
    assert "Filtered by the rule 'tests': 1" in output
    assert "Rejected as invalid_field in time: 2 (40.0%) first in line 4: time 'yesterday' is not in" in output
    assert (
        "Rejected as unknown_company in subject: 1 (20.0%) first in line 5: no company '[red]nobody' is known" in output
    )
    assert '{"id": "3", "at": "yesterday"' in output
    assert "Which of the accepted are duplicates, only loading can tell" in output


@pytest.mark.parametrize(("options", "shown"), [((), 5), (("--first", 2), 2), (("--first", 0), 0)])
def test_as_many_events_of_ndjson_are_shown_as_are_wanted(run, pipeline, options, shown):
    code, output = run(pipeline.land("unseen", "good.ndjson", GOOD), *options)
    assert code == 0
    assert len(re.findall(r"e-\d", output)) == shown
    assert "read 7 = would be accepted 7 + rejected 0 + filtered 0." in output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(GOOD.encode() * 500)[:-20], "x is truncated or its compression is damaged"),
        (GOOD.encode("utf-16"), "x is UTF-16; convert it to UTF-8"),
        ("nonsense\n", "Rejected as malformed_json: 1 (100.0%) first in line 1"),
        ("", "read 0 = would be accepted 0"),
    ],
)
def test_a_file_of_which_nothing_could_be_accepted_fails_in_words(run, pipeline, content, sentence):
    code, output = run(pipeline.land("unseen", "x", content))
    assert code == 1
    assert sentence in output


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (MAPPING.replace("iso8601", "'%H:%M'"), "bad.yaml: time.format.0: the format '%H:%M' does not tell"),
        (MAPPING.replace("{price}", "{cost}"), "calls.csv lacks the columns that its mapping reads: cost"),
    ],
)
def test_a_mapping_that_does_not_fit_fails_in_words(run, pipeline, mapping, sentence):
    path = pipeline.land("unseen", "calls.csv", TABLE)
    code, output = run(path, "--mapping", pipeline.land("unseen", "bad.yaml", mapping))
    assert code == 1
    assert sentence in output


def test_only_events_can_be_tried(run, pipeline):
    code, output = run(pipeline.land("unseen", "good.ndjson", GOOD), "--feed", "companies")
    assert code == 2
    assert "only events can be tried" in output


@pytest.mark.parametrize("database", ["postgres", "nowhere"])
def test_a_warehouse_that_is_not_there_yet_is_not_made(server, pipeline, monkeypatch, database):
    monkeypatch.setenv("DATABASE_URL", server.url(database))
    result = CliRunner().invoke(app, ["ingest", str(pipeline.land("unseen", "x", GOOD)), "--dry-run"])
    assert result.exit_code == 1
    assert "`usage-pricing up` starts it and creates its tables" in result.output
