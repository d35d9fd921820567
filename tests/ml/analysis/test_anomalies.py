import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.analysis.anomalies import ANOMALY_COLUMNS, find_anomalies, judge_days

WEEK = [100, 80, 90, 85, 120, 30, 0]  # Monday first; Sundays are closed
MONDAY, SUNDAY = 29, 35  # days whose last one is a Monday or a Sunday, after four weeks and more


def days(count: int, last: float | None = None) -> list[float]:
    usage = [float(WEEK[day % 7]) for day in range(count)]
    return usage if last is None else [*usage[:-1], last]


def holiday(day: int) -> pd.DataFrame:
    return pd.DataFrame({"company_id": [1], "holiday_date": [pd.Timestamp("2024-03-04") + pd.Timedelta(days=day)]})


@pytest.mark.parametrize(
    ("quantity", "kind", "severity"),
    [(0, "outage", "warning"), (8, "outage", "warning"), (45, "drop", "info"), (300, "burst", "notice")],
)
def test_a_day_far_from_the_usual_one_is_found_and_says_why(make_daily, make_windows, quantity, kind, severity):
    found = find_anomalies(make_daily({"calls": days(MONDAY, quantity)}), make_windows(days=MONDAY))
    assert found.columns.tolist() == list(ANOMALY_COLUMNS)
    row = found.iloc[0]
    assert (row["kind"], row["severity"], row["quantity"], str(row["usage_date"].date())) == (
        kind, severity, quantity, "2024-04-01",
    )  # fmt: skip
    assert row["expected_quantity"] == pytest.approx(100, rel=0.05)
    assert not row["low_quantity"] <= quantity <= row["high_quantity"]
    assert row["reason"] == {
        "weekday": "Monday",
        "is_holiday": False,
        "ratio_to_expected": pytest.approx(quantity / row["expected_quantity"], abs=0.001),
        "days_of_history": 28,
    }


@pytest.mark.parametrize("quantity", [70, 100, 170])
def test_a_day_that_is_a_little_off_is_no_anomaly(make_daily, make_windows, quantity):
    assert find_anomalies(make_daily({"calls": days(MONDAY, quantity)}), make_windows(days=MONDAY)).empty


def test_a_closed_weekday_is_no_outage_and_a_busy_one_is_a_burst(make_daily, make_windows):
    windows = make_windows(days=SUNDAY)
    assert find_anomalies(make_daily({"calls": days(SUNDAY)}), windows).empty
    assert find_anomalies(make_daily({"calls": days(SUNDAY, 60)}), windows)["kind"].tolist() == ["burst"]


def test_a_public_holiday_without_usage_is_no_outage_but_may_be_a_burst(make_daily, make_windows):
    windows = make_windows(days=MONDAY)
    assert find_anomalies(make_daily({"calls": days(MONDAY, 0)}), windows, holiday(MONDAY - 1)).empty
    burst = find_anomalies(make_daily({"calls": days(MONDAY, 300)}), windows, holiday(MONDAY - 1)).iloc[0]
    assert (burst["kind"], burst["reason"]["is_holiday"], burst["low_quantity"]) == ("burst", True, 0)


def test_holidays_and_outages_of_the_past_do_not_lower_what_is_expected(make_daily, make_windows):
    usage = days(MONDAY)
    usage[21] = 0  # a Monday
    for past in (None, holiday(21)):
        judged = judge_days(make_daily({"calls": usage}), make_windows(days=MONDAY), past)
        assert judged.expected[0, 0] == pytest.approx(100, rel=0.08)


def test_a_company_that_seldom_is_used_has_no_outage(make_daily, make_windows):
    usage = [float(day % 3 == 0) for day in range(MONDAY - 1)]
    judged = judge_days(make_daily({"calls": [*usage, 0.0]}), make_windows(days=MONDAY))
    assert judged.is_judged.all()
    assert not judged.can_fall_out.any()
    assert (judged.kind == "").all()


def test_steady_growth_is_no_burst(make_daily, make_windows):
    growth = [round(20 * 1.03**day) for day in range(MONDAY)]
    assert find_anomalies(make_daily({"calls": growth}), make_windows(days=MONDAY)).empty


def test_seconds_vary_as_much_as_the_few_events_behind_them(make_daily, make_windows):
    usage = make_daily({"call_seconds": [300.0, *[0.0] * 12, 200.0, *[0.0] * 14, 400.0]})
    counted = usage.assign(count_events=(usage["quantity"] > 0).astype(int))
    windows = make_windows(days=MONDAY)
    assert find_anomalies(counted, windows).empty
    assert find_anomalies(usage, windows)["kind"].tolist() == ["burst"]  # as if every second were an event


@pytest.mark.parametrize("length", [1, 2, 14])
def test_with_less_than_14_days_of_history_nothing_is_said(make_daily, make_windows, length):
    judged = judge_days(make_daily({"calls": [*[100.0] * (length - 1), 5000.0]}), make_windows(days=length))
    assert not judged.is_judged.any()
    assert (judged.kind == "").all()
    assert judged.kind.shape == (1, 1)


def test_what_happens_after_the_window_changes_nothing(make_daily, make_windows):
    usage = days(MONDAY, 0)
    windows = make_windows(days=MONDAY)
    seen = find_anomalies(make_daily({"calls": usage}), windows)
    later = find_anomalies(make_daily({"calls": [*usage, 900, 900, 5]}), windows)
    pd.testing.assert_frame_equal(seen, later)


def test_nothing_to_judge_is_an_empty_frame(make_daily, make_windows):
    none = find_anomalies(make_daily({"calls": [1.0]}).head(0), make_windows(2, days=30))
    assert none.columns.tolist() == list(ANOMALY_COLUMNS)
    assert none.empty
    assert find_anomalies(make_daily({"calls": [1.0]}), make_windows(0)).empty


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf])
def test_impossible_quantities_are_refused(make_daily, make_windows, value):
    with pytest.raises(ValueError, match="quantity"):
        find_anomalies(make_daily({"calls": [1.0, value]}), make_windows())


def test_columns_that_are_missing_are_named(make_daily, make_windows):
    with pytest.raises(ValueError, match="quantity"):
        find_anomalies(make_daily({"calls": [1.0]}).drop(columns="quantity"), make_windows())
    with pytest.raises(ValueError, match="holiday_date"):
        find_anomalies(make_daily({"calls": [1.0]}), make_windows(), pd.DataFrame({"company_id": [1]}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, 7.0, 1e3, 1e9]), min_size=1, max_size=60),
    st.sampled_from([0.0, 1.0, 1e12]),
    st.booleans(),
)
def test_any_series_gets_finite_bounds_around_what_is_expected(make_daily, make_windows, usage, last, is_spike):
    series = [*([5.0] * len(usage) if is_spike else usage), last]
    judged = judge_days(make_daily({"calls": series}), make_windows(days=len(series)))
    for values in (judged.expected, judged.low, judged.high, judged.score):
        assert np.isfinite(values).all()
    assert (judged.low >= 0).all()
    assert (judged.low <= judged.expected).all()
    assert (judged.expected <= judged.high + 1e-9).all()


def test_a_company_is_judged_the_same_whatever_its_scale_of_events(make_daily, make_windows):
    calls = make_daily({"calls": days(MONDAY, 300)})
    seconds = calls.assign(meter="seconds", count_events=calls["quantity"], quantity=calls["quantity"] * 60)
    row = find_anomalies(seconds, make_windows(days=MONDAY)).iloc[0]
    assert (row["kind"], row["expected_quantity"]) == ("burst", pytest.approx(6000, rel=0.05))


def test_ten_years_of_one_company_are_judged(make_daily, make_windows):
    count = 3655  # the last one is a Monday
    found = find_anomalies(make_daily({"calls": days(count, 0)}), make_windows(days=count))
    assert found["kind"].tolist() == ["outage"]
