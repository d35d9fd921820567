import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.analysis.forecasting.experts import EXPERTS, blended_forecast, expert_forecasts
from ml.analysis.forecasting.level import fit_level, slopes_of
from ml.analysis.forecasting.pool import Pool, pool_of
from tests.ml.analysis.forecasting.series import WEEK_SHAPE, history, noisy

FLAT = Pool(np.ones(7), np.zeros(4))


def test_a_weekly_rhythm_goes_on_as_it_was():
    week = 20 * WEEK_SHAPE
    found = expert_forecasts(history(np.tile(week, 8)), pool_of(history(np.tile(week, 8)), 28), 30)
    assert found.shape == (len(EXPERTS), 1, 30)
    assert found == pytest.approx(np.broadcast_to(np.tile(week, 5)[:30], found.shape), rel=1e-6)


def test_a_burst_and_an_outage_hardly_move_the_level():
    days = np.full(28, 100.0)
    days[[5, 20]] = 0, 1000
    for half_life in (7, np.inf):
        assert fit_level(history(days), np.ones(7), half_life, 2).level[0] == pytest.approx(100, rel=0.04)


def test_a_weekday_that_was_seen_seldom_is_that_of_the_pool_and_one_seen_often_is_its_own():
    pool = np.array([1.0, 1, 1, 1, 1, 1.9, 0.1])
    few, many = (fit_level(history(np.full(days, 10.0)), pool, np.inf, 2).factors[0] for days in (7, 7 * 50))
    assert few[5] == pytest.approx((1 * 1 + 2 * 1.9) / 3, rel=0.15)
    assert many[5] == pytest.approx(1, abs=0.1)


def test_large_series_keep_their_rhythm_and_small_ones_borrow():
    random = np.random.default_rng(0)
    own = np.clip(1 + 0.4 * random.standard_normal((60, 7)), 0.05, None)
    level = np.repeat([2000.0, 1.0], 30)[:, None]
    whole = random.poisson(level * own[:, np.arange(-56, 0) % 7]).astype(float)
    pool = pool_of(history(whole), 28)
    large, small = pool.strength(np.array([2000.0, 1.0]))
    assert (large, small) == (0.25, pytest.approx(1 / pool.contrast, rel=0.5))
    assert pool.contrast == pytest.approx(0.16, rel=0.5)
    assert FLAT.strength(np.array([5.0])).tolist() == [2]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_trend_is_carried_on_but_damped(sign):
    days = 100 + sign * np.arange(-56.0, 0)
    pool = pool_of(history(days), 56)
    ahead = dict(zip(EXPERTS, expert_forecasts(history(days), pool, 30)[:, 0], strict=True))
    moved = sign * (ahead[np.inf, 1.0, "common"] - ahead[np.inf, 1.0, "none"])
    assert (moved > 0).all()
    assert sign * (ahead[7.0, 1.0, "common"][-1] - 100) == pytest.approx(15, abs=8)  # undamped, it would be 30


def test_of_two_opposite_trends_each_goes_its_own_way_where_the_pool_is_spread():
    falling, rising = 100 - np.arange(-56.0, 0), 100 + np.arange(-56.0, 0)
    both = history(np.stack([falling, rising] * 5))
    ahead = dict(zip(EXPERTS, expert_forecasts(both, pool_of(both, 56), 30), strict=True))
    assert ahead[28.0, 1.0, "own"][0, -1] < 100 < ahead[28.0, 1.0, "own"][1, -1]
    assert ahead[28.0, 1.0, "common"][0, -1] > ahead[28.0, 1.0, "own"][0, -1]


def test_the_slope_of_a_line_is_found_with_its_error():
    series = noisy(400, 56, slope=0.004)
    _, slope, error = slopes_of(history(series), fit_level(history(series), WEEK_SHAPE, np.inf, 2))
    relative = 0.004 / (1 - 0.004 * 28)
    inside = np.abs(slope - relative) < 1.64 * error
    assert slope.mean() == pytest.approx(relative, rel=0.2)  # robust weights hold the ends of a line back
    assert 0.75 < inside.mean() < 0.99


def test_a_holiday_is_no_level_and_is_low_again():
    calendar = np.zeros((1, 56 + 30), bool)
    calendar[0, [10, 20, 30, 40, 56]] = True
    days = np.where(calendar[0, :56], 10.0, 100.0)
    seen = history(days, special=calendar)
    pool = pool_of(seen, 56)
    assert pool.special_factor == pytest.approx(0.28, abs=0.01)  # four days at 0.1, and one at 1 that it is shrunk by
    ahead = blended_forecast(seen, pool, 30, np.full(len(EXPERTS), 1 / len(EXPERTS)))[0]
    assert ahead[0] == pytest.approx(28, rel=0.01)
    assert ahead[1:] == pytest.approx(100, rel=0.01)


def test_the_first_weeks_of_a_young_company_are_taken_for_what_they_are():
    ramp = np.minimum(np.arange(70) // 7 + 1, 5) / 5
    older = history(np.tile(100 * ramp, (20, 1)), ages=np.full(20, 70))
    pool = pool_of(older, 28)
    assert pool.ramp == pytest.approx((20 * np.array([0.2, 0.4, 0.6, 0.8]) + 5) / 25)
    young = history(100 * pool.ramp.repeat(7)[:14], ages=np.array([14]))
    ahead = blended_forecast(young, pool, 30, np.full(len(EXPERTS), 1 / len(EXPERTS)))[0]
    assert ahead[0] == pytest.approx(100 * pool.ramp[2], rel=0.02)
    assert ahead[-1] == pytest.approx(100, rel=0.02)


def test_a_first_day_that_is_not_a_whole_one_is_no_ramp():
    settled = history(np.full((20, 70), 100.0), ages=np.full(20, 70))
    settled.quantity[:, 0], settled.observed[:, 0] = 0, False
    assert pool_of(settled, 28).ramp == pytest.approx(1)


def test_a_few_companies_or_young_ones_teach_no_ramp():
    for ages in (np.full(4, 70), np.full(20, 40)):
        assert pool_of(history(np.ones((len(ages), 70)), ages=ages), 28).ramp.tolist() == [1, 1, 1, 1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 1e-9, 1, 7, 1e9]), min_size=9, max_size=9), min_size=1, max_size=4),
    st.integers(1, 9),
)
def test_any_usage_has_a_finite_forecast_that_is_not_negative(rows, days):
    seen = history(np.array(rows)[:, :days])
    found = expert_forecasts(seen, pool_of(seen, days), 30)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_weights_blend_the_experts():
    seen = history(noisy(5, 28))
    pool, weights = pool_of(seen, 28), np.random.default_rng(0).dirichlet(np.ones(len(EXPERTS)))
    blended = blended_forecast(seen, pool, 30, weights)
    assert blended == pytest.approx(np.tensordot(weights, expert_forecasts(seen, pool, 30), 1))


def test_a_negative_or_missing_quantity_is_refused():
    for wrong in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="missing, infinite or negative quantity"):
            history([1, wrong])
