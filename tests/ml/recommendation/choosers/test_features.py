import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.recommendation.choosers.features import features_of

DAYS = 28
days_of_usage = st.lists(st.sampled_from([0.0, 1.0, 3.0, 40.0]), min_size=DAYS, max_size=DAYS).filter(any)


@given(days_of_usage, st.sampled_from([0.01, 7.0, 1e6]))
def test_all_but_the_level_are_free_of_the_size(days, factor):
    usage = np.array(days)[None, None]
    small, large = features_of(usage)[0], features_of(usage * factor)[0]
    assert large[0] == pytest.approx(small[0] + np.log(factor))
    assert large[1:] == pytest.approx(small[1:])


def test_two_weeks_in_figures():
    usage = np.array([[[0.0] * 7 + [7, 0, 0, 0, 0, 0, 7]]])
    level, *relative = features_of(usage)[0]
    assert level == pytest.approx(np.log(1))
    latest_3, latest_7, earlier_half, deviation, largest_day, *weeks = relative[:8]
    assert (latest_3, latest_7, earlier_half) == pytest.approx((7 / 3, 2, 0))
    assert (deviation, largest_day) == pytest.approx((np.std(usage), 7 / 14))
    assert weeks == pytest.approx([1, 0, 2])
    assert relative[8:] == pytest.approx([2 / 14, 1 / 2, 7, 0])


def test_meters_stand_side_by_side_and_one_without_usage_is_zeros_but_for_its_dates():
    usage = np.random.default_rng(0).poisson(3, (4, 2, DAYS)).astype(float)
    usage[2, 1] = 0
    found = features_of(usage)
    half = found.shape[1] // 2
    assert np.array_equal(found[:, :half], features_of(usage[:, :1]))
    assert np.isfinite(found).all()
    silent = found[2, half + 1 :]
    assert silent[-2:].tolist() == [DAYS, DAYS]
    assert not silent[:-2].any()


@pytest.mark.parametrize("days", [7, 14, 28, 60])
def test_nobody_has_as_many_features_as_anybody(days):
    assert features_of(np.zeros((0, 2, days))).shape == (0, features_of(np.ones((1, 2, days))).shape[1])
