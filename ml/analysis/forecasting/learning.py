"""What earlier windows teach: which experts to trust, how far they are off, and whether a pooled model does better."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ml.analysis.arrays import Bools, Floats, ratio
from ml.analysis.forecasting.errors import (
    ErrorLibrary,
    assumed_errors,
    balanced,
    deviations,
    relative_variation,
    remembered_errors,
)
from ml.analysis.forecasting.experts import PRIOR_WEIGHTS, blended_forecast, expert_forecasts
from ml.analysis.forecasting.forecast import Forecast
from ml.analysis.forecasting.history import WEEK, History
from ml.analysis.forecasting.pool import Pool, pool_of
from ml.analysis.forecasting.pooled import PooledRegression

__all__ = ["EXPERTS_MODEL", "HISTORY_DAYS", "POOLED_MODEL", "ForecastModel", "Window", "earlier_windows", "learn"]

EXPERTS_MODEL, POOLED_MODEL = "experts", "pooled_regression"
HISTORY_DAYS = (7, 14, 28, 56, 90)
"""Lengths of history for which models are learned; a series is forecast by the longest that it has."""
LEARNING_RATE = 30.0
"""An expert whose error is 1 % above the best one's has a weight of exp(-0.3) of it."""
MEMORY_DAYS = 60.0
"""Half-life of what an earlier window teaches."""
MOST_ORIGINS, MOST_SERIES = 26, 300
PAST_DAYS = 366
"""What lies longer back teaches nothing."""
FEWEST_WINDOWS = 20
"""Earlier windows from which on their errors are taken instead of assumed ones."""
VALIDATION_ORIGINS = 8
WIN = 0.97
"""The pooled regression takes over when its error on windows that it has not seen is below this share."""


@dataclass(frozen=True, slots=True)
class Window:
    """An earlier window: what was known at its origin, and the days [s, h] that followed, with those observed."""

    age: int
    known: History
    actual: Floats
    observed: Bools


@dataclass(frozen=True, slots=True)
class _Past:
    """Windows of series [w]: errors [w, h] in units of the deviation, forecasts, deviations, usage, and weights."""

    errors: Floats
    points: Floats
    scales: Floats
    used: Floats
    trust: Floats


@dataclass(frozen=True, slots=True)
class ForecastModel:
    """All that a forecast needs beside the series' own history: learned once for all, the same for every shard.

    `weights` [e] of the experts, 1 in sum. `regression`: the competitor, None where too little is known to fit one;
    `chosen`: which of the two forecasts. `count_windows`: earlier windows of series that have taught it; 0 where
    everything is assumed.
    """

    pool: Pool
    weights: Floats
    library: ErrorLibrary
    regression: PooledRegression | None = None
    chosen: str = EXPERTS_MODEL
    count_windows: int = 0

    def points(self, history: History, horizon: int) -> dict[str, Floats]:
        """By model, the daily quantity [s, horizon] that is most accurate in absolute terms: about the median."""
        blend = blended_forecast(history, self.pool, horizon, self.weights)
        if self.regression is None:
            return {EXPERTS_MODEL: blend}
        return {EXPERTS_MODEL: blend, POOLED_MODEL: self.regression.predict(history, self.pool, blend)}

    def point(self, history: History, horizon: int) -> Floats:
        """The chosen model's."""
        if self.chosen == EXPERTS_MODEL:
            return blended_forecast(history, self.pool, horizon, self.weights)
        return self.points(history, horizon)[self.chosen]

    def forecast(self, history: History, horizon: int) -> Forecast:
        """The `horizon` days from each series' end on; zeros for a series without usage."""
        return Forecast(self.point(history, horizon), deviations(history, self.pool), self.library)


def learn(history: History, history_days: int, horizon: int, seed: int = 0, *, compete: bool = True) -> ForecastModel:
    """Learn from all windows of `history_days` before the ends of `history` whose `horizon` days are over by then.

    Experts are weighted exponentially by their past error (Hedge; Cesa-Bianchi & Lugosi 2006, chapter 2), the mean of
    the pooled and of the mean relative absolute error, recent windows counting more. Without windows the experts have
    prior weights and the errors are assumed. With `compete`, a pooled regression is tried on the latest windows.
    """
    sample = _sample(history.last(PAST_DAYS))
    pool = pool_of(sample, history_days)
    pool = replace(pool, variation=relative_variation(sample.last(history_days), pool.profile))
    windows = list(earlier_windows(sample, history_days, horizon))
    if not windows:
        return ForecastModel(pool, PRIOR_WEIGHTS, assumed_errors(sample.last(history_days), pool, horizon, seed))
    pools = [_pool_at(sample, window, history_days) for window in windows]
    forecasts = [expert_forecasts(window.known, then, horizon) for window, then in zip(windows, pools, strict=True)]
    weights = _weights(windows, forecasts)
    blends = [np.tensordot(weights, found, 1) for found in forecasts]
    regression, chosen = None, EXPERTS_MODEL
    if compete:
        regression, unseen = _compete(windows, pools, blends, seed)
        if unseen is not None:
            # Intervals come from windows that the regression had not seen when it forecast them.
            chosen, blends = POOLED_MODEL, unseen
    past = _errors(windows[: len(blends)], pools, blends)
    if len(past.errors) < FEWEST_WINDOWS:
        library = assumed_errors(sample.last(history_days), pool, horizon, seed)
    else:
        library = balanced(
            remembered_errors(past.errors, past.trust, seed), past.points, past.scales, past.used, past.trust
        )
    return ForecastModel(pool, weights, library, regression, chosen, len(past.errors))


def earlier_windows(history: History, history_days: int, horizon: int) -> Iterator[Window]:
    """Windows before the ends, the latest first, weeks apart; series need all their days observed.

    Whole weeks before the ends, so that a day ahead is the same weekday as the one that is to be forecast.
    """
    for back in range(-(-horizon // WEEK) * WEEK, history.days - history_days + 1, WEEK)[:MOST_ORIGINS]:
        origin = history.days - back
        known = slice(origin - history_days, origin)
        rows = np.flatnonzero(history.observed[:, known].all(axis=1) & history.quantity[:, known].any(axis=1))
        if not len(rows):
            continue
        ahead = slice(origin, origin + horizon)
        known_then = history.before(back).last(history_days).rows(rows)
        yield Window(back, known_then, history.quantity[rows, ahead], history.observed[rows, ahead])


def _sample(history: History) -> History:
    """At most MOST_SERIES series, evenly from the largest to the smallest: more would only cost time."""
    used = np.flatnonzero(history.quantity.any(axis=1))
    if len(used) <= MOST_SERIES:
        return history.rows(used) if len(used) else history
    order = used[np.argsort(-history.quantity[used].sum(axis=1), kind="stable")]
    return history.rows(order[np.linspace(0, len(order) - 1, MOST_SERIES).astype(np.int64)])


def _pool_at(history: History, window: Window, history_days: int) -> Pool:
    """What was known in common at the window's origin: nothing at or after it."""
    before = history.before(window.age)
    pool = pool_of(before, history_days)
    return replace(pool, variation=relative_variation(before.last(history_days), pool.profile))


def _trust(window: Window) -> float:
    return float(0.5 ** (window.age / MEMORY_DAYS))


def _loss(window: Window, forecast: Floats) -> Floats:
    """Mean of pooled and mean relative absolute error of forecasts [..., s, h], each relative to the level."""
    off = (np.abs(forecast - window.actual) * window.observed).sum(axis=-1)
    days = window.observed.sum(axis=1)
    level = ratio(window.known.quantity.sum(axis=1), window.known.lengths)
    pooled = off.sum(axis=-1) / max(float((level * days).sum()), 1e-12)
    relative = ratio(off, level * days, otherwise=0).mean(axis=-1)
    return np.asarray((pooled + relative) / 2)


def _weights(windows: list[Window], forecasts: list[Floats]) -> Floats:
    trust = np.array([_trust(window) for window in windows])
    losses = np.stack([_loss(window, found) for window, found in zip(windows, forecasts, strict=True)])
    mean = (trust[:, None] * losses).sum(axis=0) / trust.sum()
    weights = np.exp(-LEARNING_RATE * (mean / max(mean.min(), 1e-12) - 1))
    return np.asarray(weights / weights.sum())


def _errors(windows: list[Window], pools: list[Pool], blends: list[Floats]) -> _Past:
    parts = []
    for window, pool, blend in zip(windows, pools, blends, strict=False):
        scale = deviations(window.known, pool)
        kept = window.observed.all(axis=1) & (scale > 0)
        point, actual, scale = blend[kept], window.actual[kept], scale[kept]
        trust = np.full(len(scale), _trust(window))
        parts.append(((actual - point) / scale[:, None], point, scale, actual.sum(axis=1), trust))
    return _Past(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _compete(
    windows: list[Window], pools: list[Pool], blends: list[Floats], seed: int
) -> tuple[PooledRegression | None, list[Floats] | None]:
    """The regression; and its forecasts of the latest windows, of which it has seen no day, if they beat the experts'.

    None where too little is known for one.
    """
    recent = windows[:VALIDATION_ORIGINS]
    horizon = recent[0].actual.shape[1]
    first = next((n for n, window in enumerate(windows) if window.age >= recent[-1].age + horizon), len(windows))
    rival = _fit(windows[first:], pools[first:], blends[first:], seed)
    if rival is None:
        return None, None
    judged = list(zip(recent, pools, blends, strict=False))
    unseen = [rival.predict(window.known, pool, blend) for window, pool, blend in judged]
    theirs = sum(float(_loss(window, found)) for window, found in zip(recent, unseen, strict=True))
    ours = sum(float(_loss(window, blend)) for window, _, blend in judged)
    if theirs > WIN * ours:
        return rival, None
    return _fit(windows, pools, blends, seed), unseen


def _fit(windows: list[Window], pools: list[Pool], blends: list[Floats], seed: int) -> PooledRegression | None:
    cases = [
        (window.known, pool, blend, window.actual, window.observed)
        for window, pool, blend in zip(windows, pools, blends, strict=True)
    ]
    return PooledRegression.fit(cases, seed)
