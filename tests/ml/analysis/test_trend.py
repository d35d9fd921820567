import numpy as np
import pytest

from ml.analysis.trend import TREND_DAYS, masked_median, relative_slope, weekly_growth

WEEK = np.array([1.2, 1, 1, 1, 1.3, 0.4, 0.1])


@pytest.mark.parametrize(("count", "expected"), [(0, np.nan), (1, 5), (2, 3), (3, 4), (4, 4.5)])
def test_the_median_counts_only_masked_cells(count, expected):
    values = np.array([[5.0, 1, 4, 9]])
    assert masked_median(values, np.arange(4) < np.array([[count]])) == pytest.approx([expected], nan_ok=True)


def test_the_slope_of_a_line_is_its_change_over_its_mean_at_any_length():
    lengths = np.array([1, 2, 7, 13, 14, 28])
    days = np.arange(30)
    totals = np.where(days < lengths[:, None], 3.0 + 2 * days, 0)
    slope = relative_slope(totals, lengths)
    assert slope.per_day == pytest.approx([np.nan, *(2 / (2 + lengths[1:]))], nan_ok=True)
    assert slope.agreement.tolist() == [0, 1, 1, 1, 1, 1]
    assert weekly_growth(totals, lengths).slope_per_day == pytest.approx([np.nan, 2, 2, 2, 2, 2], nan_ok=True)


def test_a_repeated_week_has_no_slope_from_14_days_on():
    slope = relative_slope(np.array([[9.0, 1, 4, 7, 2, 0, 0] * 2]), np.array([14]))
    assert [part.item() for part in (slope.per_day, slope.low, slope.high, slope.agreement)] == [0, 0, 0, 0]


def test_days_that_are_always_closed_do_not_hide_growth():
    week = np.array([100.0, 0, 0, 100, 0, 0, 100])
    growth = weekly_growth(np.concatenate([week, week * 1.3])[None, :], np.array([14]))
    assert growth.trajectory.tolist() == ["up"]
    assert growth.per_week.item() == pytest.approx(30 / 115)


def test_quiet_weekdays_do_not_bend_the_growth_of_all():
    week = np.array([100.0, 10, 10, 10, 10, 10, 10])
    growth = weekly_growth(np.concatenate([week, week * 1.3])[None, :], np.array([14]))
    assert growth.per_week.item() == pytest.approx(0.3 / 1.15)


def test_noise_is_seldom_called_growth():
    totals = np.random.default_rng(7).poisson(20, (2000, 14)).astype(float)
    assert (relative_slope(totals, np.full(2000, 14)).agreement >= 0.7).mean() < 0.15


@pytest.mark.parametrize("days", [7, 14, 20, 28, 56, 91])
@pytest.mark.parametrize("per_week", [0, 0.08])
def test_four_of_five_intervals_hold_the_growth_that_there_is(days, per_week):
    shape = np.resize(WEEK, days) if days >= 14 else np.ones(days)
    growing = 1 + per_week / 7 * (np.arange(days) - (days - 1) / 2)
    totals = np.random.default_rng(days).poisson(30 * shape * growing, (2000, days)).astype(float)
    growth = weekly_growth(totals, np.full(2000, days))
    assert 0.78 <= ((growth.low <= per_week) & (per_week <= growth.high)).mean() <= 0.98
    assert np.median(growth.per_week) == pytest.approx(per_week, abs=0.015)


def test_a_trend_forgets_what_was_before_the_last_quarter():
    recent = 10 + np.arange(TREND_DAYS, dtype=float)
    long = np.concatenate([np.full(3650 - TREND_DAYS, 5000.0), recent])
    short = np.concatenate([recent, np.zeros(3650 - TREND_DAYS)])
    growth = weekly_growth(np.array([long, short]), np.array([3650, TREND_DAYS]))
    assert growth.trajectory.tolist() == ["up", "up"]
    for values in (growth.per_week, growth.low, growth.high, growth.slope_per_day):
        assert values[0] == pytest.approx(values[1])


@pytest.mark.parametrize("totals", [np.zeros((1, 28)), np.zeros((1, 1)), np.zeros((0, 28)), np.zeros((0, 0))])
def test_without_usage_growth_is_unknown_and_called_stable(totals):
    growth = weekly_growth(totals, np.full(len(totals), totals.shape[1]))
    assert np.isnan([growth.per_week, growth.low, growth.high]).all()
    assert growth.trajectory.tolist() == ["stable"] * len(totals)
