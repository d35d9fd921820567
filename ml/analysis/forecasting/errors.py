"""How far forecasts are off: a library of errors of earlier windows, from which intervals and scenarios are made."""

from dataclasses import dataclass, replace

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.forecasting.history import WEEK, History, future_slots, past_slots
from ml.analysis.forecasting.level import fit_level
from ml.analysis.forecasting.pool import Pool

__all__ = [
    "LIBRARY_SIZE",
    "ErrorLibrary",
    "assumed_errors",
    "balanced",
    "deviations",
    "relative_variation",
    "remembered_errors",
]

LIBRARY_SIZE = 400
SCALE_HALF_LIFE, SCALE_STRENGTH = 28.0, 2.0
VARIATION_STRENGTH = 7.0
"""Days at which a series' own residuals weigh as much as the variation of its peers."""
PRIOR_VARIATION = 0.5
"""Daily deviation / level where nothing is known yet."""
MOST_BALANCED, BALANCED_PATHS, LEAST_FACTOR = 1000, 100, 0.25
"""Windows and scenarios by which totals are balanced, and the least factor (the most being its inverse)."""
LEVEL_PERSISTENCE = 1.5
"""How much more the level is off than with independent days: residuals of usage are correlated, about 0.4 a day."""


@dataclass(frozen=True, slots=True)
class ErrorLibrary:
    """Errors [k, h] of whole windows in units of the series' deviation, sorted by their sum.

    Whole windows keep what belongs together: a level that is off stays off. Column and day ahead are the same weekday,
    counted from the ends: who is closed on Sundays is not off on Sundays. Beyond h days the last week repeats.
    `factor`: what scenarios are multiplied by, so that they add up to what was used: where usage is rare, errors that
    are multiples of a small deviation and days cut at zero would make too much of it.
    `count`: windows that the errors were drawn from; few of them have not shown how far off one may be.
    """

    errors: Floats
    factor: float = 1.0
    count: float = np.inf

    def quantiles(self, horizon: int, levels: tuple[float, ...]) -> Floats:
        """Quantiles [levels, horizon] of the errors of each day ahead and of all the same weekdays.

        Outer levels are moved out by (n + 1) / n, the correction of conformal prediction for n windows.
        """
        slots, found, wider = future_slots(self.errors.shape[1]), np.empty((len(levels), horizon)), 1 + 1 / self.count
        outer = [min(level * wider, 1) if level > 0.5 else max(1 - (1 - level) * wider, 0) for level in levels]
        asked = [level if level == 0.5 else moved for level, moved in zip(levels, outer, strict=True)]
        for slot in range(min(WEEK, horizon)):
            same = self.errors[:, slots == slot]
            found[:, slot::WEEK] = np.quantile(same, asked)[:, None]
        return found

    def draw(self, paths: int, horizon: int, seed: int) -> Floats:
        """Errors [paths, horizon]: evenly from all ranks, in random order.

        The same draw serves all meters: a path on which one is far above its forecast has the others there too.
        """
        random = np.random.default_rng(seed)
        ranks = ((np.arange(paths) + random.random()) / paths * len(self.errors)).astype(np.int64)
        drawn: Floats = self.errors[random.permutation(ranks)][:, self._columns(horizon)]
        return drawn

    def _columns(self, horizon: int) -> Ints:
        known, days = self.errors.shape[1], np.arange(horizon)
        return np.where(days < known, days, known - WEEK + (days - known) % WEEK)


def relative_variation(history: History, profile: Floats) -> float:
    """Median over series with a week of usage of daily deviation / level."""
    off, level, days = _residuals(history, profile)
    known = (days >= WEEK) & (level > 0)
    return float(np.median(off[known] / level[known])) if known.any() else PRIOR_VARIATION


def deviations(history: History, pool: Pool) -> Floats:
    """Daily standard deviation of each series [s] around its level and weekdays.

    sqrt((n own^2 + k (level x variation of the peers)^2) / (n + k)), own being the mean absolute residual times
    sqrt(pi / 2): robust, and a short history borrows.
    """
    off, level, days = _residuals(history, pool.profile)
    borrowed = VARIATION_STRENGTH * (level * pool.variation) ** 2
    return np.asarray(np.sqrt((days * off**2 + borrowed) / (days + VARIATION_STRENGTH)))


def remembered_errors(errors: Floats, weights: Floats, seed: int = 0) -> ErrorLibrary:
    """A library from the errors [windows, h] of earlier windows, each as probable as its weight [windows] says.

    A split-conformal idea (Vovk et al. 2005): errors that were made out of sample say how far the next may be off.
    """
    order = np.argsort(errors.sum(axis=1), kind="stable")
    position = np.cumsum(weights[order]) / weights.sum()
    random = np.random.default_rng(seed)
    wanted = (np.arange(LIBRARY_SIZE) + random.random(LIBRARY_SIZE)) / LIBRARY_SIZE
    chosen = order[np.minimum(np.searchsorted(position, wanted), len(order) - 1)]
    return ErrorLibrary(errors[chosen], count=len(errors))


def balanced(library: ErrorLibrary, points: Floats, scales: Floats, used: Floats, weights: Floats) -> ErrorLibrary:
    """The library with the factor by which its scenarios would have added up to what was used.

    Args:
        library: errors for h days or fewer.
        points: forecasts [s, h] of windows that are over.
        scales: deviations [s].
        used: what each window came to [s].
        weights: how much each counts [s].
    """
    some = np.linspace(0, len(points) - 1, min(len(points), MOST_BALANCED)).astype(np.int64)
    drawn = library.draw(BALANCED_PATHS, points.shape[1], seed=0)
    expected = np.array([np.maximum(points[row] + scales[row] * drawn, 0).sum() / BALANCED_PATHS for row in some])
    factor = ratio((weights[some] * used[some]).sum(), (weights[some] * expected).sum(), otherwise=1)
    return replace(library, factor=float(np.clip(factor, LEAST_FACTOR, 1 / LEAST_FACTOR)))


def assumed_errors(history: History, pool: Pool, horizon: int, seed: int = 0) -> ErrorLibrary:
    """A library for the time before there are earlier windows: level error + a day's own.

    Days are drawn from the residuals of all series on the same weekday. The level is off by a normal error, constant
    over a path: LEVEL_PERSISTENCE / sqrt(effective days), those of the median series by their smoothing weights.
    """
    fit = fit_level(history, pool.profile, SCALE_HALF_LIFE, SCALE_STRENGTH)
    scale = np.broadcast_to(deviations(history, pool)[:, None], history.quantity.shape)
    off, usable = history.quantity - fit.fitted, history.ordinary & (scale > 0)
    random, slots, ahead = np.random.default_rng(seed), past_slots(history.days), future_slots(horizon)
    days = np.zeros((LIBRARY_SIZE, horizon))
    for slot in range(WEEK):
        known = usable & (slots == slot) if (usable & (slots == slot)).any() else usable
        if known.any() and (ahead == slot).any():
            pooled = np.sort(off[known] / scale[known])
            days[:, ahead == slot] = random.choice(pooled, (LIBRARY_SIZE, int((ahead == slot).sum())))
    weights = fit.weights[fit.weights.sum(axis=1) > 0]
    effective = np.median(weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)) if len(weights) else 1.0
    errors = days + random.standard_normal((LIBRARY_SIZE, 1)) * LEVEL_PERSISTENCE / np.sqrt(effective)
    library = ErrorLibrary(errors[np.argsort(errors.sum(axis=1), kind="stable")])
    if not usable.any():
        return library
    points = fit.level[:, None] * fit.factors[:, ahead]
    shares = ratio(history.quantity.sum(axis=1), (fit.fitted * history.observed).sum(axis=1), otherwise=0)
    return balanced(library, points, scale[:, 0], points.sum(axis=1) * shares, np.ones(len(points)))


def _residuals(history: History, profile: Floats) -> tuple[Floats, Floats, Floats]:
    """Robust deviation, level and days, each [s]."""
    seen: Bools = history.ordinary
    fit = fit_level(history, profile, SCALE_HALF_LIFE, SCALE_STRENGTH)
    days = seen.sum(axis=1).astype(np.float64)
    mean = ratio((np.abs(history.quantity - fit.fitted) * seen).sum(axis=1), days, otherwise=0)
    return mean * np.sqrt(np.pi / 2), fit.level, days
