"""The suites at the raw boundary, run by Great Expectations inside the database."""

from datetime import UTC, datetime

import pytest

from integrations.events.feeds import load_feed
from integrations.events.holding import discard_load
from integrations.events.loader import load_events
from integrations.expectations.suites import LOADS, USAGE_EVENTS, Expectation, Suite
from integrations.expectations.validation import validate
from tests.feeds import company, event, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def load(connection, tmp_path):
    """Load text as a file of events about one known company."""
    companies = tmp_path / "companies.ndjson"
    companies.write_text(lines(company()))
    load_feed(connection, "companies", companies, NOW)

    def load(name, text):
        (tmp_path / name).write_text(text)
        return load_events(connection, tmp_path / name, NOW)

    return load


def calls(*ids):
    return lines(*[event(id, "2026-11-02T09:30:00Z", revenue=1.5) for id in ids])


def broken(outcome):
    """The sentences that do not hold, with the number of rows that break them."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in outcome.table.splitlines()[2:]]
    return {sentence: int(count) for holds, sentence, count in cells if holds != "yes"}


def test_good_events_keep_their_suite_and_each_planted_fault_breaks_its_sentence(connection, database_url, load):
    first = load("first.ndjson", calls("1", "2", "3"))
    good = validate(USAGE_EVENTS, database_url, loads=[first.load_id])
    assert (good.passed, good.rows, broken(good)) == (True, 3, {})

    second = load("second.ndjson", calls("4", "5", "6", "7"))
    for column, value, id in (
        ("duration_seconds", "-1", 4),
        ("duration_seconds", "-2", 5),
        ("local_minute", "1440", 4),
        ("revenue", "-0.01", 6),
        ("currency", "'eur'", 7),
    ):
        connection.execute(f"update raw.usage_events set {column} = {value} where event_id = '{id}'".encode())
    bad = validate(USAGE_EVENTS, database_url, loads=[first.load_id, second.load_id])
    assert (bad.passed, bad.rows) == (False, 7)
    assert broken(bad) == {
        "a duration is never negative": 2,
        "a local minute lies within its day": 1,
        "revenue is never negative": 1,
        "a currency is three capital letters": 1,
    }
    assert validate(USAGE_EVENTS, database_url, loads=[first.load_id]).passed
    assert not validate(USAGE_EVENTS, database_url, loads=[second.load_id]).passed
    assert validate(USAGE_EVENTS, database_url, loads=[]).passed


def test_loads_that_wait_or_failed_break_their_suite_until_they_are_settled(connection, database_url, load):
    assert validate(LOADS, database_url).passed
    load("good.ndjson", calls("1") + "bad\n")
    held = load("held.ndjson", calls("2") + "bad\n" * 12)
    failed = load("failed.ndjson", calls("3"))
    connection.execute("update raw.loads set status = 'failed' where load_id = %s", [failed.load_id])
    outcome = validate(LOADS, database_url)
    assert (outcome.passed, outcome.rows) == (False, 3)
    assert broken(outcome) == {"no load waits for its release": 1, "every file could be read": 1}
    for report in (held, failed):
        discard_load(connection, report.load_id)
    assert validate(LOADS, database_url).passed


def test_an_expectation_that_can_not_be_checked_is_an_error_and_no_result(database_url):
    wrong = Expectation("expect_column_values_to_not_be_null", "a column is there", {"column": "no_such_column"})
    with pytest.raises(RuntimeError, match="could not be checked"):
        validate(Suite("wrong", "select 1 as n", (wrong,)), database_url)
