"""How far forecasts are off: a library of errors of earlier windows, from which intervals and scenarios are made."""

from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Bools, Floats, ratio
from ml.analysis.forecasting.history import WEEK, History
from ml.analysis.forecasting.level import fit_level
from ml.analysis.forecasting.pool import Pool

__all__ = ["LIBRARY_SIZE", "ErrorLibrary", "assumed_errors", "deviations", "relative_variation", "remembered_errors"]

LIBRARY_SIZE = 400
SCALE_HALF_LIFE, SCALE_STRENGTH = 28.0, 2.0
VARIATION_STRENGTH = 7.0
"""Days at which a series' own residuals weigh as much as the variation of its peers."""
PRIOR_VARIATION = 0.5
"""Daily deviation / level where nothing is known yet."""
LEVEL_PERSISTENCE = 1.5
"""How much more the level is off than with independent days: residuals of usage are correlated, about 0.4 a day."""
BAND = 3
"""Days before and after that the quantile of a day ahead is read from as well."""


@dataclass(frozen=True, slots=True)
class ErrorLibrary:
    """Errors [k, h] of whole windows in units of the series' deviation, sorted by their sum.

    Whole windows keep what belongs together: a level that is off stays off. Beyond h days the last week repeats.
    """

    errors: Floats

    def ahead(self, horizon: int) -> Floats:
        """Errors [k, horizon]."""
        known = self.errors.shape[1]
        days = np.arange(horizon)
        shown: Floats = self.errors[:, np.where(days < known, days, known - WEEK + (days - known) % WEEK)]
        return shown

    def quantiles(self, horizon: int, levels: tuple[float, ...]) -> Floats:
        """Quantiles [levels, horizon] of the errors of each day ahead and of its neighbours."""
        errors = self.ahead(horizon)
        bands = [slice(max(day - BAND, 0), day + BAND + 1) for day in range(horizon)]
        return np.stack([np.quantile(errors[:, band], levels) for band in bands], axis=1)

    def draw(self, paths: int, horizon: int, seed: int) -> Floats:
        """Errors [paths, horizon]: evenly from all ranks, in random order.

        The same draw serves all meters: a path on which one is far above its forecast has the others there too.
        """
        random = np.random.default_rng(seed)
        ranks = ((np.arange(paths) + random.random()) / paths * len(self.errors)).astype(np.int64)
        drawn: Floats = self.ahead(horizon)[random.permutation(ranks)]
        return drawn


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


def remembered_errors(errors: Floats, weights: Floats, horizon: int, seed: int = 0) -> ErrorLibrary:
    """A library from the errors [windows, h] of earlier windows, each as probable as its weight says.

    A split-conformal idea (Vovk et al. 2005): errors that were made out of sample say how far the next may be off.
    """
    order = np.argsort(errors.sum(axis=1), kind="stable")
    position = np.cumsum(weights[order]) / weights.sum()
    random = np.random.default_rng(seed)
    wanted = (np.arange(LIBRARY_SIZE) + random.random(LIBRARY_SIZE)) / LIBRARY_SIZE
    chosen = order[np.minimum(np.searchsorted(position, wanted), len(order) - 1)]
    return ErrorLibrary(errors[chosen, :horizon])


def assumed_errors(history: History, pool: Pool, horizon: int, seed: int = 0) -> ErrorLibrary:
    """A library for the time before there are earlier windows: level error + a day's own.

    Days are drawn from the residuals of all series. The level is off by a normal error, constant over a path:
    LEVEL_PERSISTENCE / sqrt(effective days), the days of the median series by their smoothing weights.
    """
    fit = fit_level(history, pool.profile, SCALE_HALF_LIFE, SCALE_STRENGTH)
    scale = deviations(history, pool)[:, None]
    residuals = ratio((history.quantity - fit.fitted), np.broadcast_to(scale, history.quantity.shape))
    known = np.sort(residuals[history.ordinary & ~np.isnan(residuals)])
    random = np.random.default_rng(seed)
    days = random.choice(known, (LIBRARY_SIZE, horizon)) if len(known) else np.zeros((LIBRARY_SIZE, horizon))
    weights = fit.weights[fit.weights.sum(axis=1) > 0]
    effective = np.median(weights.sum(axis=1) ** 2 / (weights**2).sum(axis=1)) if len(weights) else 1.0
    level = random.standard_normal((LIBRARY_SIZE, 1)) * LEVEL_PERSISTENCE / np.sqrt(effective)
    errors = days + level
    return ErrorLibrary(errors[np.argsort(errors.sum(axis=1), kind="stable")])


def _residuals(history: History, profile: Floats) -> tuple[Floats, Floats, Floats]:
    """Robust deviation, level and days, each [s]."""
    seen: Bools = history.ordinary
    fit = fit_level(history, profile, SCALE_HALF_LIFE, SCALE_STRENGTH)
    days = seen.sum(axis=1).astype(np.float64)
    mean = ratio((np.abs(history.quantity - fit.fitted) * seen).sum(axis=1), days, otherwise=0)
    return mean * np.sqrt(np.pi / 2), fit.level, days
