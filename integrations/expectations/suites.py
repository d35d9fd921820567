"""What must hold of the raw tables before anything is built from them, as Great Expectations suites."""

from dataclasses import dataclass
from typing import Any

__all__ = ["LOADS", "USAGE_EVENTS", "Expectation", "Suite"]


@dataclass(frozen=True)
class Expectation:
    """One expectation: its Great Expectations name, its arguments, and the sentence that people read."""

    kind: str
    sentence: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Suite:
    """Expectations on the rows of one query."""

    name: str
    query: str
    expectations: tuple[Expectation, ...]


def _not_null(*columns: str) -> tuple[Expectation, ...]:
    return tuple(
        Expectation("expect_column_values_to_not_be_null", f"{column} is never missing", {"column": column})
        for column in columns
    )


USAGE_EVENTS = Suite(
    "usage_events",
    "select * from raw.usage_events where load_id in ({loads})",
    (
        *_not_null("company_id", "usage_date", "occurred_at", "source", "event_id", "event_type"),
        Expectation(
            "expect_column_values_to_be_between",
            "a duration is never negative",
            {"column": "duration_seconds", "min_value": 0},
        ),
        Expectation(
            "expect_column_values_to_be_between",
            "a local minute lies within its day",
            {"column": "local_minute", "min_value": 0, "max_value": 1439},
        ),
        Expectation(
            "expect_column_values_to_be_between",
            "revenue is never negative",
            {"column": "revenue", "min_value": 0},
        ),
        Expectation(
            "expect_column_values_to_match_regex",
            "a currency is three capital letters",
            {"column": "currency", "regex": "^[A-Z]{3}$"},
        ),
    ),
)

LOADS = Suite(
    "loads",
    """
    select load_id, status from raw.loads where feed = 'events' and status <> 'discarded'
    """,
    (
        Expectation(
            "expect_column_values_to_not_be_in_set",
            "no load waits for its release",
            {"column": "status", "value_set": ["held"]},
        ),
        Expectation(
            "expect_column_values_to_not_be_in_set",
            "every file could be read",
            {"column": "status", "value_set": ["failed"]},
        ),
    ),
)
