"""The competitor of the experts: one regression over all series, days ahead and earlier windows."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.analysis.arrays import Bools, Floats, ratio
from ml.analysis.forecasting.history import History, future_slots
from ml.analysis.forecasting.level import fit_level
from ml.analysis.forecasting.pool import Pool

__all__ = ["PooledRegression"]

MOST_ROWS = 20_000
FEWEST_ROWS = 3_000
"""Days of earlier windows below which a regression is not even tried."""
FEATURES = 8

Case = tuple[History, Pool, Floats, Floats, Bools]
"""A history, what was known in common, the experts' forecast, the days that followed, and those observed of them."""


@dataclass(frozen=True, slots=True)
class PooledRegression:
    """Gradient-boosted trees (Friedman 2001) for quantity / level by absolute error; scikit-learn's, once fitted."""

    trees: Any

    @classmethod
    def fit(cls, cases: Iterable[Case], seed: int) -> "PooledRegression | None":
        """Fit on what followed each history; None with too little to learn from."""
        features, targets = [np.empty((0, FEATURES))], [np.empty(0)]
        for history, pool, blend, actual, seen in cases:
            level, found = _features(history, pool, blend)
            kept = seen & (level[:, None] > 0)
            features.append(found[kept])
            targets.append(ratio(actual, np.broadcast_to(level[:, None], actual.shape), otherwise=0)[kept])
        rows, values = np.concatenate(features), np.concatenate(targets)
        if len(rows) < FEWEST_ROWS:
            return None
        from sklearn.ensemble import HistGradientBoostingRegressor

        chosen = np.random.default_rng(seed).permutation(len(rows))[:MOST_ROWS]
        trees = HistGradientBoostingRegressor(
            loss="absolute_error", max_iter=100, max_leaf_nodes=15, min_samples_leaf=100, random_state=seed
        )
        with _one_thread():
            return cls(trees.fit(rows[chosen], values[chosen]))

    def predict(self, history: History, pool: Pool, blend: Floats) -> Floats:
        """Daily quantity [s, h], zero or more."""
        level, features = _features(history, pool, blend)
        with _one_thread():
            found = self.trees.predict(features.reshape(-1, features.shape[-1])).reshape(blend.shape)
        return np.where(level[:, None] > 0, np.maximum(found, 0) * level[:, None], blend)


def _one_thread() -> AbstractContextManager[Any]:
    """Threads that wait for a busy core cost more than they bring."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _features(history: History, pool: Pool, blend: Floats) -> tuple[Floats, Floats]:
    """Level [s] and features [s, h, f]: all relative to the level, so that small and large series teach each other."""
    horizon = blend.shape[1]
    slow, fast = (fit_level(history, pool.profile, half_life, 2.0) for half_life in (28.0, 7.0))
    level, ahead = slow.level, future_slots(horizon)
    used = ratio((history.quantity > 0).sum(axis=1), history.lengths, otherwise=0)
    off = (np.abs(history.quantity - slow.fitted) * history.observed).sum(axis=1)
    spread = ratio(off, level * history.lengths, otherwise=0)
    by_series = np.stack([ratio(fast.level, level, otherwise=1), used, spread], axis=1)
    by_day = np.stack(
        [
            ratio(blend, np.broadcast_to(level[:, None], blend.shape), otherwise=0),
            slow.factors[:, ahead],
            history.in_slots(pool.profile)[:, ahead],
            np.broadcast_to(np.arange(horizon), blend.shape),
            history.special_ahead(horizon).astype(np.float64),
        ],
        axis=2,
    )
    repeated = np.broadcast_to(by_series[:, None], (*blend.shape, by_series.shape[1]))
    return level, np.concatenate([by_day, repeated], axis=2)
