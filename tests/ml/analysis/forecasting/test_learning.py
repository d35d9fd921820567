import numpy as np
import pytest

from ml.analysis.forecasting.experts import EXPERTS
from ml.analysis.forecasting.history import History
from ml.analysis.forecasting.learning import EXPERTS_MODEL, POOLED_MODEL, earlier_windows, learn
from ml.analysis.forecasting.models import forecast_groups, learn_models, segments_of
from tests.ml.analysis.forecasting.series import WEEK_SHAPE, history, noisy

HORIZON = 30


def test_windows_end_before_the_ends_and_know_nothing_of_what_followed():
    days = np.arange(100.0)
    for window in earlier_windows(history(days), 28, HORIZON):
        assert window.known.quantity[0].tolist() == list(range(100 - window.age - 28, 100 - window.age))
        assert window.actual[0].tolist() == list(range(100 - window.age, 100 - window.age + HORIZON))
        assert window.known.ends[0] == np.datetime64("2026-11-02") - window.age
        assert window.age >= HORIZON


def test_without_earlier_windows_experts_have_prior_weights_and_errors_are_assumed():
    model = learn(history(noisy(20, 14)), 14, HORIZON)
    assert model.count_windows == 0
    assert model.weights.sum() == pytest.approx(1)
    assert model.weights.min() > 0
    assert model.library.errors.std() > 0


def test_an_expert_that_was_right_is_trusted():
    steep = history(noisy(40, 200, slope=0.004, level=400))
    weights = dict(zip(EXPERTS, learn(steep, 28, HORIZON, compete=False).weights, strict=True))
    by_trend = {name: sum(w for (_, _, trend), w in weights.items() if trend == name) for name in ("none", "common")}
    assert by_trend["common"] > 2 * by_trend["none"]
    assert sum(weights.values()) == pytest.approx(1)


OPEN, CLOSED, SELDOM = WEEK_SHAPE, np.array([1.0, 1, 1, 1, 1, 0, 0]), np.full(7, 0.1)


@pytest.mark.parametrize("shape", [OPEN, CLOSED, SELDOM], ids=["open", "closed at weekends", "seldom"])
@pytest.mark.parametrize("days", [14, 56])
def test_intervals_and_totals_hold_what_they_promise_on_days_to_come(shape, days):
    random = np.random.default_rng(2)
    level = 20 * random.lognormal(0, 0.7, (600, 1)) * shape[np.arange(-230, 0) % 7]
    used = random.random(level.shape) < np.where(shape is SELDOM, 0.2, 1)
    whole = random.poisson(level * random.gamma(5, 1 / 5, level.shape) / np.where(shape is SELDOM, 0.2, 1)) * used * 1.0
    future = whole[:, -HORIZON:]
    past = history(whole[:, :-HORIZON], ends=np.datetime64("2026-11-02") - HORIZON)
    model = learn(past, days, HORIZON, compete=False)
    found = model.forecast(past.last(days), HORIZON)
    low, high = found.quantiles((0.1, 0.9))
    inside = (future >= low - 1e-9) & (future <= high + 1e-9)
    busy = level[0, -HORIZON:] > 0
    assert 0.75 < inside[:, busy].mean() < (0.97 if shape is SELDOM else 0.85)
    totals = found.paths(400, seed=1).sum(axis=2)
    assert totals.mean() == pytest.approx(future.sum(axis=1).mean(), rel=0.2 if shape is SELDOM else 0.06)
    low, high = np.quantile(totals, (0.1, 0.9), axis=1)
    covered = ((future.sum(axis=1) >= low) & (future.sum(axis=1) <= high)).mean()
    assert (0.6 if shape is SELDOM else 0.74) < covered < 0.86


def test_the_regression_is_chosen_only_where_it_is_clearly_better():
    # A rhythm of two weeks, which no expert knows but the day ahead tells.
    random = np.random.default_rng(0)
    plain = learn(history(noisy(60, 200)), 28, HORIZON)
    assert plain.regression is not None
    assert plain.chosen == EXPERTS_MODEL
    bursts = np.where(np.arange(200) % 7 == 3, 1.0, 0.0) * random.poisson(40, (60, 200))
    bursts[:, ::2] *= 0
    odd = learn(history(bursts), 28, HORIZON)
    assert odd.chosen == POOLED_MODEL
    assert odd.points(history(bursts).last(28), HORIZON)[POOLED_MODEL].shape == (60, HORIZON)


def test_the_same_is_learned_again():
    first, again = (learn(history(noisy(30, 120)), 28, HORIZON, seed=1) for _ in range(2))
    assert np.array_equal(first.weights, again.weights)
    assert np.array_equal(first.library.errors, again.library.errors)


def test_days_that_were_not_observed_change_nothing_however_many_the_array_has():
    usage = np.where(np.arange(200) % 7 == 3, 1.0, 0.0) * np.random.default_rng(0).poisson(40, (60, 200))
    model = learn(history(usage), 28, HORIZON)
    assert model.regression is not None
    short = history(usage).last(10)
    padded = History(np.pad(short.quantity, ((0, 0), (80, 0))), np.pad(short.observed, ((0, 0), (80, 0))), short.ends)
    for name, point in model.points(short, HORIZON).items():
        assert model.points(padded, HORIZON)[name] == pytest.approx(point), name


def test_every_series_is_forecast_once_by_the_longest_history_that_it_has():
    days = np.zeros((4, 60))
    days[:, :] = noisy(4, 60, level=100) + 1
    days[3] = np.where(np.arange(60) % 5 == 0, 9, 0)
    seen = history(days)
    seen.observed[1, :50] = False
    seen.observed[2, :57] = False
    seen.observed[0, 5] = False
    models = learn_models(seen, HORIZON, (7, 28, 56), compete=False)
    assert segments_of(seen).tolist() == ["regular", "regular", "regular", "intermittent"]
    groups = {tuple(rows.tolist()): kind for rows, kind, _ in forecast_groups(models, seen, HORIZON)}
    assert groups == {
        (0,): ("regular", 56),
        (1, 2): ("regular", 7),
        (3,): ("intermittent", 56),
    }


@pytest.mark.parametrize(
    "quantity",
    [np.zeros((3, 100)), np.ones((1, 1)), np.eye(1, 100, 50) * 1e6, np.full((2, 100), 7.0), np.zeros((0, 30))],
    ids=["zeros", "one day", "one spike", "constant", "nobody"],
)
def test_odd_histories_give_finite_forecasts(quantity):
    seen = history(quantity)
    models = learn_models(seen, HORIZON, (7, 28))
    count = 0
    for rows, _, found in forecast_groups(models, seen, HORIZON):
        count += len(rows)
        assert np.isfinite(found.quantiles((0.1, 0.5, 0.9))).all()
        assert (found.paths(20, 0) >= 0).all()
    assert count == len(quantity)


def test_a_longer_horizon_than_was_learned_repeats_the_last_week_of_errors():
    model = learn(history(noisy(30, 150)), 28, HORIZON, compete=False)
    errors = model.library.draw(20, 62, seed=1)
    assert errors.shape == (20, 62)
    assert np.array_equal(errors[:, 30:37], errors[:, 23:30])
    assert model.forecast(history(noisy(30, 28)), 62).point.shape == (30, 62)
