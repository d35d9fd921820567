"""What a suite is made of: expectations, each with the sentence that people read."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

__all__ = [
    "Expectation",
    "Suite",
    "absent",
    "between",
    "matches",
    "not_in",
    "not_null",
    "one_of",
    "unique",
    "warned_of",
]


@dataclass(frozen=True)
class Expectation:
    """One expectation: its Great Expectations name, its arguments, and the sentence that people read.

    One that is broken stops what is built from the rows, unless `stops` is false: then it is only warned of.
    """

    kind: str
    sentence: str
    arguments: dict[str, Any]
    stops: bool = True


@dataclass(frozen=True)
class Suite:
    """Expectations on the rows of one query, which names each of its parameters once, as `{loads}`."""

    name: str
    query: str
    expectations: tuple[Expectation, ...]


def not_null(*columns: str) -> tuple[Expectation, ...]:
    """Each of the columns has a value in every row."""
    return tuple(
        Expectation("expect_column_values_to_not_be_null", f"{column} is never missing", {"column": column})
        for column in columns
    )


def absent(sentence: str, column: str) -> Expectation:
    """The column is null in every row: for a column that a query fills with what is wrong, so that examples show it."""
    return Expectation("expect_column_values_to_be_null", sentence, {"column": column})


def between(
    sentence: str, column: str, low: float | datetime | None = None, high: float | datetime | None = None
) -> Expectation:
    """Values lie between two bounds, both included; null is fine."""
    arguments = {"column": column, "min_value": low, "max_value": high}
    return Expectation("expect_column_values_to_be_between", sentence, arguments)


def matches(sentence: str, column: str, regex: str) -> Expectation:
    """Values match a regular expression of PostgreSQL; null is fine."""
    return Expectation("expect_column_values_to_match_regex", sentence, {"column": column, "regex": regex})


def one_of(sentence: str, column: str, *values: str) -> Expectation:
    """Values are of a set; null is fine."""
    return Expectation("expect_column_values_to_be_in_set", sentence, {"column": column, "value_set": list(values)})


def not_in(sentence: str, column: str, *values: str) -> Expectation:
    """Values are none of a set."""
    return Expectation("expect_column_values_to_not_be_in_set", sentence, {"column": column, "value_set": list(values)})


def unique(sentence: str, *columns: str) -> Expectation:
    """No two rows have the same values in all of the columns."""
    return Expectation("expect_compound_columns_to_be_unique", sentence, {"column_list": list(columns)})


def warned_of(expectation: Expectation) -> Expectation:
    """The same expectation, for what is wrong with one row and no reason to keep all others waiting."""
    return replace(expectation, stops=False)
