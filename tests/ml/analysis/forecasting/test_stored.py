"""Models that are stored forecast to the last digit what they forecast before."""

import numpy as np
import pytest

from ml.analysis.forecasting.learning import EXPERTS_MODEL, POOLED_MODEL, learn
from ml.analysis.forecasting.stored import StoredTrees, pack, unpack
from tests.ml.analysis.forecasting.series import history, noisy

HORIZON = 30


def bursts():
    usage = np.where(np.arange(200) % 7 == 3, 1.0, 0.0) * np.random.default_rng(0).poisson(40, (60, 200))
    usage[:, ::2] *= 0
    return history(usage)


@pytest.fixture(scope="module", params=["assumed", "experts", "regression"])
def learned(request):
    """A model of each kind, the past that it learned from, and the length of history that it is for."""
    past, days, chosen = {
        "assumed": (history(noisy(20, 20)), 14, EXPERTS_MODEL),
        "experts": (history(noisy(60, 200)), 28, EXPERTS_MODEL),
        "regression": (bursts(), 28, POOLED_MODEL),
    }[request.param]
    model = learn(past, days, HORIZON)
    assert model.chosen == chosen
    return model, past, days


def test_what_is_read_again_forecasts_the_same(learned):
    model, past, days = learned
    again = unpack(pack(model))
    own, other = (one.forecast(past.last(days), HORIZON) for one in (model, again))
    for name in ("point", "deviation"):
        assert np.array_equal(getattr(own, name), getattr(other, name))
    assert np.array_equal(own.paths(200, 0), other.paths(200, 0))
    assert np.array_equal(own.quantiles((0.1, 0.9)), other.quantiles((0.1, 0.9)))
    assert (again.chosen, again.count_windows) == (model.chosen, model.count_windows)


def test_the_same_model_gives_the_same_bytes_however_often_it_was_read(learned):
    model, _, _ = learned
    content = pack(model)
    assert pack(model) == content == pack(unpack(content))


def test_the_competitor_that_lost_is_left_out():
    model = learn(history(noisy(60, 200)), 28, HORIZON)
    assert model.regression is not None
    assert unpack(pack(model)).regression is None


def test_trees_send_what_is_missing_where_they_learned_to():
    from sklearn.ensemble import HistGradientBoostingRegressor

    random = np.random.default_rng(0)
    features = random.random((3000, 4))
    features[random.random(features.shape) < 0.2] = np.nan
    values = np.where(np.isnan(features[:, 0]), 5, features[:, 0]) + random.random(3000)
    trees = HistGradientBoostingRegressor(loss="absolute_error", max_iter=20, random_state=0).fit(features, values)
    assert np.array_equal(StoredTrees.of(trees).predict(features), trees.predict(features))


def test_what_is_no_model_is_not_read():
    with pytest.raises(ValueError, match="pickle"):
        unpack(b"import os")
