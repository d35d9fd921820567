import pandas as pd
import pytest

from ml.analysis.characteristics import describe_companies
from ml.analysis.definitions import DEFINITIONS_VERSION, Thresholds


@pytest.fixture
def describe(make_hourly, make_windows, make_activity):
    def run(rows, days=14, companies=1, thresholds=None, **activity):
        frames = make_hourly(rows), make_windows(companies, days), make_activity(companies, **activity)
        return describe_companies(*frames, thresholds or Thresholds()).iloc[0]

    return run


@pytest.mark.parametrize(
    ("calls", "seconds_each", "after_hours", "expected"),
    [
        (101, 179, 0, "high_volume_transactional"),
        (100, 179, 0, "standard_appointment_based"),
        (101, 180, 0, "standard_appointment_based"),
        (29, 301, 0, "low_volume_consultative"),
        (30, 301, 0, "standard_appointment_based"),
        (29, 300, 0, "standard_appointment_based"),
        (50, 200, 15, "standard_appointment_based"),
        (50, 200, 16, "extended_hours_service"),
        (101, 179, 101, "high_volume_transactional"),
        (29, 301, 29, "low_volume_consultative"),
    ],
)
def test_business_type_at_its_exact_bounds_and_first_match_wins(describe, calls, seconds_each, after_hours, expected):
    row = {"total_calls": calls, "total_seconds": calls * seconds_each, "after_hours_calls": after_hours}
    assert describe([row])["business_type"] == expected


@pytest.mark.parametrize(
    ("days", "calls", "expected"), [(7, 50, 100), (7, 51, 102), (14, 100, 100), (28, 202, 101), (1, 3, 42)]
)
def test_calls_are_scaled_to_14_days_before_they_are_compared(describe, days, calls, expected):
    row = describe([{"total_calls": calls, "total_seconds": calls * 100}], days=days)
    assert row["calls_per_14_days"] == expected
    assert (row["business_type"] == "high_volume_transactional") == (expected > 100)


def test_the_average_is_over_all_calls_missed_ones_included(describe):
    rows = [{"total_calls": 230, "total_seconds": 41250}, {"total_calls": 15, "total_seconds": 0, "local_hour": 11}]
    assert describe(rows)["average_call_seconds"] == pytest.approx(687.5 * 60 / 245)


@pytest.mark.parametrize(("minutes", "expected"), [(500, "low"), (501, "medium"), (2000, "medium"), (2001, "high")])
def test_volume_category_by_minutes_per_30_days(describe, minutes, expected):
    assert describe([{"total_seconds": minutes * 60}], days=30)["volume_category"] == expected


def test_thresholds_are_configuration(describe):
    row = describe([{"total_seconds": 600 * 60}], days=30, thresholds=Thresholds(high_volume_minutes_above=550))
    assert row["volume_category"] == "high"


@pytest.mark.parametrize(("factor", "expected"), [(1.2, "up"), (0.8, "down"), (1.0, "stable"), (1.04, "stable")])
def test_growth_compares_weeks_and_not_weekdays(describe, factor, expected):
    week = [1000, 900, 900, 900, 1100, 0, 0]
    rows = [{"day": day, "total_calls": round(week[day % 7] * factor ** (day // 7))} for day in range(14)]
    row = describe(rows)
    assert row["growth_trajectory"] == expected
    assert row["growth_per_week"] == pytest.approx(2 * (factor - 1) / (factor + 1), abs=0.12)


@pytest.mark.parametrize(("days", "expected"), [(6, "stable"), (7, "up")])
def test_growth_needs_seven_days(describe, days, expected):
    row = describe([{"day": day, "total_calls": 10 + 2 * day} for day in range(days)], days=days)
    assert row["growth_trajectory"] == expected
    assert pd.isna(row["growth_per_week"]) == (days == 6)


def test_growth_has_an_interval_and_the_row_its_version(describe):
    row = describe([{"day": day, "total_calls": 100 + 3 * day + 7 * (day % 3)} for day in range(28)], days=28)
    assert row["growth_low"] < row["growth_per_week"] < row["growth_high"]
    assert row["definitions_version"] == DEFINITIONS_VERSION


def test_the_efficiency_score_needs_known_outcomes(describe):
    assert describe([{"total_calls": 50, "successful_bookings": 30, "failed_bookings": 10}])["efficiency_score"] == 82.5
    assert pd.isna(describe([{"total_calls": 50}])["efficiency_score"])


def test_one_outlying_day_is_no_growth(describe):
    rows = [{"day": day, "total_calls": 500 if day == 13 else 20} for day in range(14)]
    assert describe(rows)["growth_trajectory"] == "stable"


def test_the_seasonality_factor_is_the_peak_weekday_over_the_mean_one(describe):
    rows = [{"day": day, "total_calls": 30 if day % 7 == 4 else 10} for day in range(14)]
    assert describe(rows)["seasonality_factor"] == pytest.approx(30 / (90 / 7))


@pytest.mark.parametrize(
    ("unique", "returning", "expected"),
    [
        (10, 6, "mostly_returning"),
        (10, 5, "mixed"),
        (10, 4, "mostly_new"),
        (0, 0, "unknown"),
    ],
)
def test_customer_behaviour_by_the_share_of_returning_ones(describe, unique, returning, expected):
    assert describe([{}], unique_customers=unique, returning_customers=returning)["customer_behaviour"] == expected


@pytest.mark.parametrize(("services", "expected"), [(3, "low"), (4, "medium"), (10, "medium"), (11, "high")])
def test_service_complexity_by_distinct_services(describe, services, expected):
    assert describe([{}], distinct_services=services)["service_complexity"] == expected


def test_only_the_company_that_lives_at_night_is_unique(make_hourly, make_windows, make_activity):
    rows = [{"company_id": company, "local_hour": 10, "total_calls": 200} for company in (1, 2, 3, 4)]
    rows += [{"company_id": 5, "local_hour": 3, "total_calls": 200}]
    rows += [{"company_id": 6, "local_hour": 3, "total_calls": 99}]
    described = describe_companies(make_hourly(rows), make_windows(6), make_activity(6))
    assert described["has_unique_patterns"].tolist() == [False] * 4 + [True, False]


def test_a_company_without_usage_or_activity_is_described_all_the_same(make_hourly, make_windows, make_activity):
    row = describe_companies(make_hourly([{}]), make_windows(2), make_activity(1)).iloc[1]
    assert (row["business_type"], row["volume_category"]) == ("standard_appointment_based", "low")
    assert row["customer_behaviour"] == "unknown"
    assert pd.isna(row[["average_call_seconds", "after_hours_ratio", "growth_per_week"]]).all()
    assert not row["has_unique_patterns"]


def test_the_error_names_every_missing_activity_column(make_hourly, make_windows, make_activity):
    activity = make_activity().drop(columns=["unique_customers", "total_revenue"])
    with pytest.raises(ValueError, match="activity lacks the columns unique_customers, total_revenue"):
        describe_companies(make_hourly([{}]), make_windows(), activity)
