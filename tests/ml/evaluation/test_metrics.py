import numpy as np
import pytest

from ml.analysis.forecasting.history import History
from ml.evaluation.baselines import linear_regression, run_rate, same_weekdays, seasonal_naive
from ml.evaluation.metrics import coverage, mase, pinball_loss, seasonal_scale, wape
from tests.ml.analysis.forecasting.series import history

ACTUAL = np.array([[10.0, 20, 30]])
ALL = np.ones((1, 3), bool)


def test_wape_is_error_over_usage_and_leaves_out_what_was_not_observed():
    assert wape(np.array([[12.0, 20, 24]]), ACTUAL, ALL) == (8, 60)
    assert wape(np.array([[12.0, 20, 24]]), ACTUAL, np.array([[True, True, False]])) == (2, 30)


def test_mase_is_error_over_that_of_the_seasonal_naive_in_the_past():
    past = np.arange(14.0)[None]  # each day is 7 more than a week before
    scale = seasonal_scale(past, np.ones_like(past, bool))
    assert scale.tolist() == [7]
    assert mase(ACTUAL + 14, ACTUAL, ALL, scale).tolist() == [2]
    assert np.isnan(mase(ACTUAL, ACTUAL, ALL, seasonal_scale(past[:, :7], np.ones((1, 7), bool))))


def test_pinball_loss_of_a_point_is_its_absolute_error():
    point = np.broadcast_to(ACTUAL + 3, (3, 1, 3))
    assert pinball_loss(point, ACTUAL, ALL)[0] == pytest.approx(9)
    high = np.stack([ACTUAL, ACTUAL, ACTUAL + 5])  # 0.1 x 5 on each of 3 days, doubled, a third
    assert pinball_loss(high, ACTUAL, ALL)[0] == pytest.approx(2 * 3 * 0.5 / 3)


def test_coverage_counts_days_within_the_outer_quantiles():
    bounds = np.stack([np.full((1, 3), low) for low in (9, 15, 20)])
    assert coverage(bounds, ACTUAL, ALL) == (2, 3)
    exact = np.stack([ACTUAL + 1e-14] * 3)
    assert coverage(exact, ACTUAL, ALL) == (3, 3)


def test_the_rules_are_what_their_names_say():
    seen = history(np.arange(35.0))
    assert seasonal_naive(seen, 9)[0].tolist() == [28, 29, 30, 31, 32, 33, 34, 28, 29]
    assert same_weekdays(seen, 8)[0, [0, 6, 7]].tolist() == [17.5, 23.5, 17.5]
    assert run_rate(seen, 2)[0].tolist() == [17, 17]
    assert linear_regression(seen, 3)[0] == pytest.approx([35, 36, 37])
    assert linear_regression(history(np.arange(35.0)[::-1]), 3)[0].tolist() == [0, 0, 0]


def test_a_weekday_that_was_not_seen_has_the_mean_day():
    few = History(np.array([[0.0, 4, 8]]), np.array([[False, True, True]]), np.array(["2026-11-02"], "datetime64[D]"))
    assert same_weekdays(few, 7)[0].tolist() == [6, 6, 6, 6, 6, 4, 8]
