import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.analysis.change_points import CHANGE_RATIO, MAX_CHANGES, change_points

WEEK = np.array([1.2, 1, 1, 1, 1.3, 0.4, 0.05])
WEEK = WEEK / WEEK.mean()


def noisy(mean, series, seed=0):
    mean = np.asarray(mean, dtype=float)
    return np.random.default_rng(seed).poisson(mean, (series, len(mean))).astype(float)


def changes_of(*series):
    """(company, day, before, after) of series of equal length."""
    totals = np.array(series, dtype=float)
    found = change_points(totals, np.full(len(totals), totals.shape[1]))
    return list(zip(found.rows.tolist(), found.days.tolist(), found.before, found.after, strict=True))


@pytest.mark.parametrize("mean", [1, 5, 30, 200])
@pytest.mark.parametrize("days", [14, 19, 28, 91])
def test_a_steady_level_is_left_alone_in_98_of_100_series(mean, days):
    found = change_points(noisy(mean * np.resize(WEEK, days), 2000), np.full(2000, days))
    assert len(np.unique(found.rows)) / 2000 <= 0.02


@pytest.mark.parametrize("factor", [2, 0.5])
@pytest.mark.parametrize(("days", "at"), [(21, 7), (28, 7), (28, 12), (28, 21), (56, 40), (91, 84)])
def test_a_doubling_or_halving_is_found_within_3_days_in_90_of_100_series(factor, days, at):
    mean = 20 * np.resize(WEEK, days)
    mean[at:] *= factor
    found = change_points(noisy(mean, 1000), np.full(1000, days))
    hits = np.abs(found.days - at) <= 3
    assert len(np.unique(found.rows[hits])) / 1000 >= 0.9
    assert np.median(found.after[hits] / found.before[hits]) == pytest.approx(factor, rel=0.1)


@pytest.mark.parametrize("factor", [2, 0.5])
def test_in_14_days_only_a_change_in_their_middle_can_be_seen(factor):
    mean = 40 * np.resize(WEEK, 14) * np.where(np.arange(14) < 7, 1, factor)
    found = change_points(noisy(mean, 1000), np.full(1000, 14))
    assert len(np.unique(found.rows)) >= 900
    assert set(found.days) == {7}


def test_levels_are_means_of_whole_weeks_and_a_weekend_is_no_change():
    week = np.array([10.0] * 5 + [0, 0])
    (change,) = changes_of(np.concatenate([week, week, week[:3], 2 * week[3:], 2 * week, 2 * week]))
    assert change == (0, 17, pytest.approx(50 / 7), pytest.approx(100 / 7))
    assert changes_of(np.tile(week, 6)) == []


def test_two_changes_have_the_level_between_them():
    found = changes_of([10.0] * 28 + [30.0] * 28 + [10.0] * 28)
    assert found == [(0, 28, 10, 30), (0, 56, 30, 10)]


def test_a_burst_or_a_short_outage_is_no_new_level():
    burst, outage, last = np.full((3, 42), 20.0) + noisy(np.full(42, 1), 3)
    burst[20] = 900
    outage[20:23] = 0
    last[41] = 900
    assert changes_of(burst, outage, last) == []


def test_a_small_change_is_not_told_however_sure_it_is():
    just_below = CHANGE_RATIO - 0.01
    assert changes_of([1e6] * 300 + [1e6 * just_below] * 300) == []
    assert len(changes_of([1e6] * 300 + [1e6 * (CHANGE_RATIO + 0.01)] * 300)) == 1


def test_no_more_than_the_strongest_changes_are_told():
    stairs = np.repeat(10.0 * 3 ** np.arange(8), 28)
    assert len(changes_of(stairs)) == MAX_CHANGES


@pytest.mark.parametrize(
    "series", [[0.0] * 28, [7.0] * 28, [5.0], [0.0] * 27 + [1e9], [1e9] + [0.0] * 27, [3.0] * 13, [0.0] * 3650]
)
def test_degenerate_series_have_no_change(series):
    assert changes_of(series) == []


def test_no_companies_and_no_days_have_no_change():
    assert change_points(np.zeros((0, 28)), np.zeros(0, dtype=int)).rows.size == 0
    assert change_points(np.zeros((0, 0)), np.zeros(0, dtype=int)).rows.size == 0


def test_ten_years_with_one_change_have_one():
    mean = np.where(np.arange(3650) < 2000, 20, 40) * np.resize(WEEK, 3650)
    found = change_points(noisy(mean, 5), np.full(5, 3650))
    assert found.rows.tolist() == [0, 1, 2, 3, 4]
    assert np.abs(found.days - 2000).max() <= 7


counts = st.lists(st.one_of(st.integers(0, 30), st.integers(0, 10**6)), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(st.lists(counts, min_size=1, max_size=4))
def test_changes_lie_a_week_inside_and_do_not_depend_on_the_others(histories):
    lengths = np.array([len(history) for history in histories])
    totals = np.zeros((len(histories), lengths.max()))
    for row, history in enumerate(histories):
        totals[row, : len(history)] = history
    found = change_points(totals, lengths)
    assert ((found.days >= 7) & (found.days <= lengths[found.rows] - 7)).all()
    assert np.isfinite([found.before, found.after]).all()
    assert (np.bincount(found.rows, minlength=1) <= MAX_CHANGES).all()
    for row, history in enumerate(histories):
        alone = change_points(np.array([history], dtype=float), lengths[row : row + 1])
        assert alone.days.tolist() == found.days[found.rows == row].tolist()
