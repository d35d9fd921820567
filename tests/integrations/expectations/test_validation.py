"""What comes out of a run of a suite, in words that need nothing beside them."""

import subprocess
import sys

import pytest

from integrations.expectations.rules import Expectation, Suite, between, not_null, unique, warned_of
from integrations.expectations.validation import validate

NUMBERS = """
    select number, case when mod(number, 10) <> 0 then 'name ' || number end as name, number / 2 as half,
        1 as same
    from generate_series(1, 1000) as number where number = any({numbers})
"""


def suite(*expectations: Expectation) -> Suite:
    return Suite("numbers", NUMBERS, expectations)


def test_a_suite_that_holds_is_told_in_one_line(database_url):
    outcome = validate(suite(between("small", "number", 1, 1000)), database_url, numbers=range(1, 1001))
    assert outcome.passed
    assert outcome.rows == 1000
    assert outcome.summary == "Suite **numbers**: 1,000 rows checked, all 1 expectations hold."


def test_what_breaks_is_told_with_number_share_and_examples(database_url):
    expectations = (
        between("small", "number", None, 990),
        *not_null("name"),
        between("positive", "number", 1),
        unique("halves differ", "half", "same"),
    )
    outcome = validate(suite(*expectations), database_url, numbers=range(2, 1001))
    assert not outcome.passed
    heading, _, *lines = outcome.summary.splitlines()
    assert heading == "Suite **numbers**: 999 rows checked, 3 of 4 expectations do not hold."
    assert lines == [
        "| holds | rows that break it | share | examples |",
        "|---|---|---|---|",
        "| **no**: small | 10 | 1.00% | 991; 992; 993 |",
        "| **no**: name is never missing | 100 | 10.01% |  |",
        "| **no**: halves differ | 998 | 99.90% | half 1, same 1; half 2, same 1; half 3, same 1 |",
        "| yes: positive | 0 | 0.00% |  |",
    ]


def test_what_is_only_warned_of_breaks_the_suite_and_stops_nothing(database_url):
    small, positive = between("small", "number", None, 990), between("positive", "number", 1)
    warned = validate(suite(warned_of(small), positive), database_url, numbers=[991])
    assert (warned.passed, warned.stops) == (False, False)
    assert "| no, a warning: small | 1 | 100.00% | 991 |" in warned.summary
    assert validate(suite(small, positive), database_url, numbers=[991]).stops
    assert not validate(suite(small, positive), database_url, numbers=[990]).stops


def test_an_example_breaks_out_of_no_table_and_is_cut(database_url):
    query = "select e'a|b\\nc' || repeat('x', 100) as text"
    wrong = Expectation("expect_column_values_to_be_null", "no text", {"column": "text"})
    line = validate(Suite("texts", query, (wrong,)), database_url).summary.splitlines()[-1]
    assert line == f"| **no**: no text | 1 | 100.00% | a\\|b c{'x' * 35}... |"


def test_without_rows_nothing_is_wrong_and_great_expectations_stays_unread(database_url):
    program = f"""
import sys
from integrations.expectations.suites import USAGE_EVENTS
from integrations.expectations.validation import validate
outcome = validate(USAGE_EVENTS, {database_url!r}, loads=[], dates=[])
print(outcome.passed, outcome.rows, outcome.summary, "great_expectations" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "True 0 Suite **usage_events**: 0 rows checked, nothing is new. False"


def test_an_expectation_that_can_not_be_checked_is_an_error_and_no_result(database_url):
    with pytest.raises(RuntimeError, match="could not be checked"):
        validate(Suite("wrong", "select 1 as n", not_null("no_such_column")), database_url)
