import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.analysis.patterns import PATTERN_TYPES, find_patterns

DATES = pd.date_range("2024-03-04", periods=14)


def hourly_of(calls):
    """Hourly frame of calls [c, 14, 24], companies 1..c."""
    company, day, hour = np.nonzero(calls)
    counts = calls[company, day, hour]
    return pd.DataFrame(
        {
            "company_id": company + 1,
            "usage_date": DATES[day],
            "local_hour": hour,
            "total_calls": counts,
            "total_seconds": counts * 60,
            "after_hours_calls": np.where(hour >= 18, counts, 0),
            "successful_bookings": 0,
            "failed_bookings": 0,
        }
    )


def found(patterns, kind, company=1):
    row = patterns[(patterns["company_id"] == company) & (patterns["pattern_type"] == kind)]
    return row["pattern_data"].item(), row["confidence_score"].item()


def test_every_company_has_the_four_patterns_even_without_usage(make_hourly, make_windows):
    patterns = find_patterns(make_hourly([{"company_id": 1}]), make_windows(2))
    assert patterns["company_id"].tolist() == [1] * 4 + [2] * 4
    assert patterns["pattern_type"].tolist() == list(PATTERN_TYPES) * 2
    silent, confidence = found(patterns, "hourly", company=2)
    assert (silent["distribution"], silent["peak_hours"], silent["reason"]) == (None, [], "no_calls")
    assert confidence == 0


def test_peak_hours_are_the_five_busiest_of_24(make_hourly, make_windows):
    rows = [{"local_hour": hour, "total_calls": 100 - hour} for hour in range(8, 18)]
    hourly, _ = found(find_patterns(make_hourly(rows), make_windows()), "hourly")
    assert hourly["peak_hours"] == [8, 9, 10, 11, 12]


def test_an_hour_without_calls_is_never_a_peak(make_hourly, make_windows):
    hourly, _ = found(find_patterns(make_hourly([{"local_hour": 3}]), make_windows()), "hourly")
    assert hourly["peak_hours"] == [3]
    assert hourly["quiet_hours"] == [hour for hour in range(24) if hour != 3]


def test_a_peak_hour_is_never_quiet(make_hourly, make_windows):
    rows = [{"local_hour": 8, "total_calls": 500}, {"local_hour": 9, "total_calls": 1}]
    hourly, _ = found(find_patterns(make_hourly(rows), make_windows()), "hourly")
    assert hourly["peak_hours"] == [8, 9]
    assert not {8, 9} & set(hourly["quiet_hours"])


@pytest.mark.parametrize(("share", "count"), [(0.2, 5), (0.25, 6), (1, 10), (1 / 24, 1)])
def test_the_share_of_peak_hours_is_a_parameter(make_hourly, make_windows, share, count):
    rows = [{"local_hour": hour} for hour in range(10)]
    hourly, _ = found(find_patterns(make_hourly(rows), make_windows(), peak_share=share), "hourly")
    assert len(hourly["peak_hours"]) == count


def test_a_peak_share_beyond_the_day_is_refused(make_hourly, make_windows):
    with pytest.raises(ValueError, match=r"peak share is 1\.5"):
        find_patterns(make_hourly([{}]), make_windows(), peak_share=1.5)


def test_the_after_hours_ratio_is_a_ratio_of_calls(make_hourly, make_windows):
    rows = [{"total_calls": 8}, {"local_hour": 20, "total_calls": 2, "after_hours_calls": 2}]
    hourly, _ = found(find_patterns(make_hourly(rows), make_windows()), "hourly")
    assert hourly["after_hours_ratio"] == 0.2


def test_hourly_strength_of_a_hand_computed_matrix(make_hourly, make_windows):
    # Day 0: 24 calls at 0h, day 1: 24 at 12h. T = 1; S + R: 23 once, -1 else. S: 11 at 0h and 12h, -1 else.
    # Var(S + R) ~ 2 (23^2 + 23) = 1104, Var(S) ~ 2 (2 * 11^2 + 22) = 528, so F = 1 - 576 / 1104 = 528 / 1104.
    rows = [{"day": 0, "local_hour": 0, "total_calls": 24}, {"day": 1, "local_hour": 12, "total_calls": 24}]
    hourly, _ = found(find_patterns(make_hourly(rows), make_windows(days=2)), "hourly")
    assert hourly["pattern_strength"] == pytest.approx(528 / 1104, abs=1e-6)


def test_hourly_strength_is_the_published_formula():
    calls = np.random.default_rng(3).poisson(np.arange(24) / 4, (1, 14, 24))
    x = calls[0].astype(float)
    moving = x - x.mean(axis=1, keepdims=True)
    remainder = moving - moving.mean(axis=0)
    literal = max(0, 1 - remainder.var() / moving.var())
    windows = pd.DataFrame(
        {"company_id": [1], "window_start": DATES[:1], "window_end": DATES[-1:] + pd.Timedelta(days=1)}
    )
    assert found(find_patterns(hourly_of(calls), windows), "hourly")[0]["pattern_strength"] == pytest.approx(
        literal, abs=1e-6
    )


def test_equal_days_have_strength_one_and_a_confidence_of_their_length(make_hourly, make_windows):
    rows = [{"day": day, "local_hour": hour, "total_calls": hour} for day in range(14) for hour in (9, 15)]
    hourly, confidence = found(find_patterns(make_hourly(rows), make_windows()), "hourly")
    assert hourly["pattern_strength"] == 1
    assert confidence == 0.8  # 14 / (14 + 3.5)
    assert hourly["is_confident"] is True


def test_seven_equal_days_are_not_confident_yet(make_hourly, make_windows):
    rows = [{"day": day, "local_hour": hour, "total_calls": hour} for day in range(7) for hour in (9, 15)]
    hourly, confidence = found(find_patterns(make_hourly(rows), make_windows(days=7)), "hourly")
    assert (confidence, hourly["is_confident"]) == (0.67, False)


def test_one_day_shows_no_strength(make_hourly, make_windows):
    hourly, confidence = found(find_patterns(make_hourly([{}]), make_windows(days=1)), "hourly")
    assert (hourly["pattern_strength"], hourly["reason"], confidence) == (None, "fewer_than_2_days", 0)


def test_daily_level_variation_and_slope(make_hourly, make_windows):
    rows = [{"day": day, "total_calls": 10 + day} for day in range(7)]
    daily, _ = found(find_patterns(make_hourly(rows), make_windows(days=7)), "daily")
    assert daily["mean_calls"] == 13
    assert daily["variation"] == pytest.approx(2 / 13, abs=1e-4)
    assert daily["slope_per_day"] == 1
    assert daily["trend"] == "up"


def test_weekly_distribution_and_peak_weekday(make_hourly, make_windows):
    rows = [{"day": day, "total_calls": 30 if day % 7 == 2 else 10} for day in range(14)]
    weekly, confidence = found(find_patterns(make_hourly(rows), make_windows()), "weekly")
    assert weekly["peak_weekday"] == 2
    assert weekly["distribution"][2] == pytest.approx(1 / 3)
    assert (weekly["pattern_strength"], confidence) == (1, 0.8)


def test_the_heatmap_holds_mean_calls_by_weekday_and_hour(make_hourly, make_windows):
    rows = [{"day": 1, "local_hour": 9, "total_calls": 3}, {"day": 8, "local_hour": 9, "total_calls": 4}]
    rows += [{"day": 9, "local_hour": 23, "total_calls": 2}, {"day": 6, "local_hour": 0, "total_calls": 5}]
    # From a Thursday on: the same rows are three days later, and ten days hold some weekdays twice.
    for start, shift, mean in (("2024-03-04", 0, 3.5), ("2024-03-07", 3, 3.5)):
        hourly = make_hourly([row | {"day": row["day"] + shift} for row in rows])
        weekly, _ = found(find_patterns(hourly, make_windows(days=10, start=start)), "weekly")
        heatmap = np.array(weekly["heatmap"])
        assert heatmap.shape == (7, 24)
        peak, late, midnight = ((1 + shift) % 7, 9), ((2 + shift) % 7, 23), ((6 + shift) % 7, 0)
        assert (heatmap[peak], heatmap[late], heatmap[midnight]) == (mean, 1, 5)
        assert (heatmap > 0).sum() == 3


def test_a_new_level_is_told_with_its_date(make_hourly, make_windows):
    rows = [{"day": day, "total_calls": 20 if day < 20 else 50} for day in range(35)]
    daily, _ = found(find_patterns(make_hourly(rows), make_windows(days=35)), "daily")
    assert daily["change_points"] == [{"date": "2024-03-24", "before": 20.0, "after": 50.0}]
    assert daily["growth_low"] <= daily["growth_per_week"] <= daily["growth_high"]


@pytest.mark.parametrize(("days", "changes"), [(13, None), (14, [])])
def test_changes_are_unknown_under_two_weeks(make_hourly, make_windows, days, changes):
    daily, _ = found(find_patterns(make_hourly([{}]), make_windows(days=days)), "daily")
    assert daily["change_points"] == changes


def test_a_spike_a_constant_and_ten_years_have_finite_patterns(make_hourly, make_windows):
    rows = [{"company_id": 1, "day": 2000, "total_calls": 10**9}]
    rows += [{"company_id": 2, "day": day, "total_calls": 3} for day in range(3650)]
    patterns = find_patterns(make_hourly(rows), make_windows(3, days=[3650, 3650, 1]))
    json.dumps(patterns["pattern_data"].tolist(), allow_nan=False)
    spike, constant = (found(patterns, "daily", company)[0] for company in (1, 2))
    assert (spike["change_points"], constant["change_points"]) == ([], [])
    assert (spike["growth_per_week"], constant["growth_per_week"], constant["variation"]) == (None, 0, 0)
    assert found(patterns, "seasonal", 2)[0]["value"] is not None


@pytest.mark.parametrize(
    ("days", "strength", "reason"), [(13, None, "fewer_than_14_days"), (14, 1, None), (20, 1, None)]
)
def test_weekly_strength_needs_two_weeks(make_hourly, make_windows, days, strength, reason):
    rows = [{"day": day, "total_calls": 1 + day % 7} for day in range(days)]
    weekly, _ = found(find_patterns(make_hourly(rows), make_windows(days=days)), "weekly")
    assert (weekly["pattern_strength"], weekly["reason"]) == (strength, reason)


def test_six_days_have_no_weekday_distribution(make_hourly, make_windows):
    rows = [{"day": day} for day in range(6)]
    weekly, _ = found(find_patterns(make_hourly(rows), make_windows(days=6)), "weekly")
    assert (weekly["distribution"], weekly["peak_weekday"]) == (None, None)


def test_a_season_is_unknown_until_two_years_exist(make_hourly, make_windows):
    rows = [{"day": day, "total_calls": 5 + (day % 365 > 180)} for day in range(730)]
    seasonal, confidence = found(find_patterns(make_hourly(rows), make_windows(days=729)), "seasonal")
    assert (seasonal["value"], seasonal["reason"], confidence) == (None, "fewer_than_2_years", 0)
    seasonal, confidence = found(find_patterns(make_hourly(rows), make_windows(days=730)), "seasonal")
    assert (seasonal["value"], seasonal["reason"], confidence) == (1, None, 1)
    assert sum(seasonal["distribution"]) == pytest.approx(1)


def test_a_shorter_window_beside_a_long_one_keeps_its_own_values(make_hourly, make_windows):
    rows = [{"company_id": company, "day": day} for company in (1, 2) for day in range(30)]
    patterns = find_patterns(make_hourly(rows), make_windows(2, days=[7, 30]))
    assert found(patterns, "daily")[0]["mean_calls"] == 1
    assert found(patterns, "daily")[0]["days"] == 7
    assert found(patterns, "weekly")[0]["pattern_strength"] is None


calls_of_three_companies = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 13), st.integers(0, 23), st.integers(1, 50)), max_size=60
)


@settings(max_examples=40, deadline=None)
@given(calls_of_three_companies, st.integers(1, 14))
def test_patterns_are_json_safe_bounded_and_blind_to_the_order_of_companies(cells, days):
    calls = np.zeros((3, 14, 24), dtype=int)
    for company, day, hour, count in cells:
        calls[company, day, hour] = count
    windows = pd.DataFrame(
        {"company_id": [1, 2, 3], "window_start": DATES[0], "window_end": DATES[0] + pd.Timedelta(days=days)}
    )
    patterns = find_patterns(hourly_of(calls), windows)
    assert patterns["confidence_score"].between(0, 1).all()
    for data in patterns.loc[patterns["pattern_type"] == "hourly", "pattern_data"]:
        json.dumps(data, allow_nan=False)
        assert data["distribution"] is None or sum(data["distribution"]) == pytest.approx(1)
        assert data["pattern_strength"] is None or 0 <= data["pattern_strength"] <= 1
        assert not set(data["peak_hours"]) & set(data["quiet_hours"])
    shuffled = find_patterns(hourly_of(calls).sample(frac=1, random_state=0), windows.iloc[[2, 0, 1]])
    same = shuffled.sort_values("company_id", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(same, patterns)
