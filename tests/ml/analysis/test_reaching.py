import numpy as np
import pytest

from ml.analysis.reaching import reach_limits

START = np.array(["2026-11-11"], "datetime64[D]")


def reach(used: float, limit: float, paths, days_left: int = 20):
    ahead = np.asarray(paths, dtype=float)[None]
    return reach_limits(np.array([used]), np.array([limit]), ahead, START, np.array([days_left]))


def steady(*per_day: float, days: int = 20):
    return np.repeat(np.array(per_day)[:, None], days, axis=1)


def test_a_steady_use_reaches_its_limit_on_the_day_that_completes_it():
    found = reach(100, 150, steady(10))
    assert found.expected.tolist() == [300]
    assert found.utilisation.tolist() == [2]
    assert found.probability.tolist() == [1]
    assert found.date.astype(str).tolist() == ["2026-11-15"]  # the fifth day ahead


def test_only_scenarios_that_reach_it_say_when():
    found = reach(0, 40, steady(1, 1, 4, 8))
    assert found.probability.tolist() == [0.5]
    assert found.date.astype(str).tolist() == ["2026-11-15"]  # of days 10 and 5 the earlier one


def test_what_comes_after_the_period_does_not_count():
    found = reach(0, 100, steady(10), days_left=9)
    assert found.expected.tolist() == [90]
    assert found.probability.tolist() == [0]
    assert np.isnat(found.date).all()
    assert reach(0, 100, steady(10), days_left=10).probability.tolist() == [1]


def test_a_limit_that_is_reached_has_no_date_ahead():
    found = reach(150, 150, steady(0))
    assert found.probability.tolist() == [1]
    assert np.isnat(found.date).all()


def test_a_limit_of_nothing_has_no_utilisation():
    found = reach(0, 0, steady(1))
    assert np.isnan(found.utilisation).all()
    assert found.probability.tolist() == [1]


def test_on_the_last_day_of_a_period_only_what_was_used_counts():
    found = reach(30, 40, steady(100), days_left=0)
    assert found.expected.tolist() == [30]
    assert found.probability.tolist() == [0]


def test_scenarios_must_last_until_the_period_ends():
    with pytest.raises(ValueError, match="21 days left"):
        reach(0, 1, steady(1), days_left=21)
