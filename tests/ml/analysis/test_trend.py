import numpy as np
import pytest

from ml.analysis.trend import masked_median, robust_slope, weekly_growth


@pytest.mark.parametrize(("count", "expected"), [(0, np.nan), (1, 5), (2, 3), (3, 4), (4, 4.5)])
def test_the_median_counts_only_masked_cells(count, expected):
    values = np.array([[5.0, 1, 4, 9]])
    assert masked_median(values, np.arange(4) < np.array([[count]])) == pytest.approx([expected], nan_ok=True)


def test_the_slope_of_a_line_is_exact_at_any_length():
    lengths = np.array([1, 2, 7, 13, 14, 30])
    days = np.arange(30)
    totals = np.where(days < lengths[:, None], 3.0 + 2 * days, 0)
    slope, agreement = robust_slope(totals, lengths)
    assert slope == pytest.approx([np.nan, 2, 2, 2, 2, 2], nan_ok=True)
    assert agreement.tolist() == [0, 1, 1, 1, 1, 1]


def test_a_repeated_week_has_no_slope_from_14_days_on():
    week = [9.0, 1, 4, 7, 2, 0, 0]
    slope, agreement = robust_slope(np.array([week * 2]), np.array([14]))
    assert (slope.item(), agreement.item()) == (0, 0)


def test_days_that_are_always_closed_do_not_hide_growth():
    week = np.array([100.0, 0, 0, 100, 0, 0, 100])
    totals = np.concatenate([week, week * 1.3])[None, :]
    growth, trajectory = weekly_growth(totals, np.array([14]))
    assert trajectory.tolist() == ["up"]
    assert growth.item() == pytest.approx(30 / 115)


def test_noise_is_seldom_called_growth():
    totals = np.random.default_rng(7).poisson(20, (2000, 14)).astype(float)
    _, agreement = robust_slope(totals, np.full(2000, 14))
    assert (agreement >= 0.7).mean() < 0.15
