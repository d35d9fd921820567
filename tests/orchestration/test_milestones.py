"""When day 7 and day 14 are due, to the minute, in the company's own time."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from orchestration.milestones import companies_due, usage_dates


def companies(**fields):
    row = {
        "company_id": 1,
        "company_key": "acme",
        "activated_on": pd.Timestamp("2026-10-20"),
        "time_zone": "Europe/Berlin",
        "has_result": False,
        "is_window_built": True,
        "has_later_usage": False,
        "closing_minutes": 0.0,
        **fields,
    }
    return pd.DataFrame([row])


def is_due(at: str, day: int = 7, **fields) -> bool:
    return len(companies_due(companies(**fields), datetime.fromisoformat(at), day)) == 1


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-10-27T10:59:59+00:00", False),
        ("2026-10-27T11:00:00+00:00", True),
        ("2026-12-01T00:00:00+00:00", True),
    ],
)
def test_at_noon_local_at_the_latest_and_a_missed_tick_loses_nobody(at, due):
    assert is_due(at) is due


@pytest.mark.parametrize(("at", "due"), [("2026-10-26T22:59:59+00:00", False), ("2026-10-26T23:00:00+00:00", True)])
def test_as_soon_as_usage_of_a_later_day_has_come_but_never_before_the_window_ends(at, due):
    assert is_due(at, has_later_usage=True) is due


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-10-27T01:29:59+00:00", False),
        ("2026-10-27T01:30:00+00:00", True),
    ],
)
def test_not_before_the_time_that_earlier_days_took_to_be_complete(at, due):
    assert is_due(at, has_later_usage=True, closing_minutes=150.0) is due


def test_a_company_whose_events_come_very_late_waits_until_noon_and_no_longer():
    assert not is_due("2026-10-27T10:59:59+00:00", has_later_usage=True, closing_minutes=9_000.0)
    assert is_due("2026-10-27T11:00:00+00:00", has_later_usage=True, closing_minutes=9_000.0)


def test_once_only():
    assert not is_due("2026-12-01T00:00:00+00:00", has_result=True)


def test_not_before_the_window_is_in_the_marts():
    assert not is_due("2026-12-01T00:00:00+00:00", is_window_built=False)


def test_auckland_is_due_before_new_york():
    at = "2026-10-27T00:00:00+00:00"
    assert is_due(at, time_zone="Pacific/Auckland")
    assert not is_due(at, time_zone="America/New_York")


def test_the_window_ends_where_the_partition_of_its_last_usage_date_ends():
    due = companies_due(companies(), datetime(2026, 12, 1, tzinfo=UTC), 14)
    assert due["as_of"].tolist() == [pd.Timestamp("2026-11-03")]
    assert usage_dates(due) == [date(2026, 11, 2)]


def test_no_company_is_no_error():
    assert usage_dates(companies_due(companies().iloc[:0], datetime(2026, 12, 1, tzinfo=UTC), 7)) == []
