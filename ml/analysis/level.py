"""Smoothed level, weekday profile and residuals of every meter; short histories borrow from the peers."""

from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.trend import masked_median
from ml.analysis.weekly import weekday_means
from ml.analysis.windows import Windows

__all__ = ["Fit", "fit_levels", "smoothing_weights"]

HALF_LIFE_DAYS = 28.0
PROFILE_STRENGTH = 2.0
"""Occurrences of a weekday at which its own mean weighs as much as the pooled profile."""
VARIATION_STRENGTH = 7.0
"""Days at which a company's own residuals weigh as much as its peers' variation."""
PRIOR_VARIATION = 0.5
"""Daily standard deviation / level where no peer has a full week."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What a projection needs of c companies and m meters with up to d days of history.

    `base` [c, m]: expected total of the horizon. `residuals` [c, m, d]: day residuals, scaled for the
    degrees of freedom that the fit used and for the weight of own history. `borrowed_deviation` [c, m]: daily
    standard deviation that comes from the peers.
    """

    base: Floats
    residuals: Floats
    borrowed_deviation: Floats


def smoothing_weights(age_days: Ints) -> Floats:
    """Weight of a day by its age: halves every 28 days (simple exponential smoothing)."""
    return np.power(0.5, age_days / HALF_LIFE_DAYS)


def fit_levels(daily: Floats, windows: Windows, horizon_days: int) -> Fit:
    """Fit `daily` [c, m, d]: quantity = level x weekday factor + residual.

    Weekday factor: (n x own + k x pooled) / (n + k) over n occurrences. Level: sum(w y) / sum(w f) with the
    smoothing weights w. Both shrink towards the peers as in empirical Bayes.
    """
    valid, weekdays = windows.valid, windows.weekdays
    weights = smoothing_weights(windows.lengths[:, None] - 1 - np.arange(windows.days)) * valid
    ahead = (weekdays[:, :1] + windows.lengths[:, None] + np.arange(horizon_days)) % 7
    parts = [_fit_meter(daily[:, meter], valid, weekdays, weights, ahead) for meter in range(daily.shape[1])]
    if not parts:
        empty = np.zeros(daily.shape[:2])
        return Fit(empty, daily, empty)
    base, residuals, borrowed = (np.stack(part, axis=1) for part in zip(*parts, strict=True))
    return Fit(base, residuals, borrowed)


def _fit_meter(
    daily: Floats, valid: Bools, weekdays: Ints, weights: Floats, ahead: Ints
) -> tuple[Floats, Floats, Floats]:
    factors, used = _weekday_factors(daily, valid, weekdays)
    fitted = np.take_along_axis(factors, weekdays, axis=1)
    level = ratio((weights * daily).sum(axis=1), (weights * fitted).sum(axis=1), otherwise=0)
    base = level * np.take_along_axis(factors, ahead, axis=1).sum(axis=1)
    days = valid.sum(axis=1)
    residuals = (daily - level[:, None] * fitted) * valid
    residuals *= np.sqrt(days / np.maximum(days - used, 1))[:, None]
    own = days / (days + VARIATION_STRENGTH)
    variation = _peer_variation(residuals, level, days)
    return base, residuals * np.sqrt(own)[:, None], level * variation * np.sqrt(1 - own)


def _weekday_factors(daily: Floats, valid: Bools, weekdays: Ints) -> tuple[Floats, Floats]:
    """Factor per weekday [c, 7], 1 on average over the pool, and the degrees of freedom [c] that the fit used."""
    means = weekday_means(daily, weekdays, valid)
    pooled = _pooled_factors(means)
    level = ratio((daily * valid).sum(axis=1), (pooled[weekdays] * valid).sum(axis=1), otherwise=0)
    own = np.nan_to_num(ratio(means, level[:, None], otherwise=1), nan=1.0)
    count = ((weekdays[:, :, None] == np.arange(7)) & valid[:, :, None]).sum(axis=1)
    weight = count / (count + PROFILE_STRENGTH)
    # Trace of the smoother: a mean shrunk by weight w leaves (1 - w)^2 of its degree of freedom to the residuals.
    left = ((1 - weight) ** 2) * (count > 0)
    used = (count > 0).sum(axis=1) - left.sum(axis=1) + ratio(left.sum(axis=1), (count > 0).sum(axis=1))
    return weight * own + (1 - weight) * pooled, used


def _pooled_factors(means: Floats) -> Floats:
    known = ~np.isnan(means).any(axis=1) & (np.nan_to_num(means).sum(axis=1) > 0)
    if not known.any():
        return np.ones(7)
    factors: Floats = (means[known] / means[known].mean(axis=1, keepdims=True)).mean(axis=0)
    return factors


def _peer_variation(residuals: Floats, level: Floats, days: Ints) -> float:
    """Median over companies with a full week of daily standard deviation / level."""
    peers = (days >= 7) & (level > 0)
    if not peers.any():
        return PRIOR_VARIATION
    deviation = np.sqrt((residuals[peers] ** 2).sum(axis=1) / days[peers])
    relative = (deviation / level[peers])[None, :]
    return float(masked_median(relative, np.ones_like(relative, dtype=bool))[0])
