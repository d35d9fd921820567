"""A level and a weekday profile for every series, robust against days that are unlike the others."""

from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Floats, ratio
from ml.analysis.forecasting.history import WEEK, History, past_slots

__all__ = ["LevelFit", "fit_level", "slopes_of"]

HUBER = 1.5
REWEIGHTINGS = 3


@dataclass(frozen=True, slots=True)
class LevelFit:
    """quantity = level [s] x factor of the slot [s, 7] + residual; `weights` [s, d] of the days (age and robustness).

    `fitted` [s, d]: what the fit says of the past.
    """

    level: Floats
    factors: Floats
    weights: Floats
    fitted: Floats


def fit_level(history: History, profile: Floats, half_life: float, strength: float | Floats) -> LevelFit:
    """Level and weekday factors by iteratively reweighted least squares.

    Days count by age (simple exponential smoothing, Brown 1959) and, so that a strike or a burst does not move the
    level, by Huber's weights (1964) at 1.5 times the mean absolute residual, scaled to a normal's deviation.
    A weekday's factor is (n x own + k x pooled) / (n + k) over its n observations: empirical Bayes with
    strength k, one for all or [s, 1].
    """
    slots = np.eye(WEEK)[past_slots(history.days)]
    pooled = history.in_slots(profile)
    quantity, seen = history.quantity, history.ordinary.astype(np.float64)
    aged = np.power(0.5, np.arange(history.days - 1, -1, -1) / half_life) * seen
    prior, robust = pooled @ slots.T, seen
    for _ in range(REWEIGHTINGS + 1):
        count = robust @ slots
        crude = ratio((quantity * robust).sum(axis=1), (prior * robust).sum(axis=1), otherwise=0)[:, None]
        sums = (quantity * robust) @ slots
        shrunk = ratio(sums, count * crude, otherwise=0) * count + strength * pooled
        factors = np.where(crude > 0, shrunk / (count + strength), pooled)
        shape = factors @ slots.T
        weights = aged * robust
        level = ratio((weights * quantity).sum(axis=1), (weights * shape).sum(axis=1), otherwise=0)
        fitted = level[:, None] * shape
        off = np.abs(quantity - fitted) * seen
        scale = ratio(off.sum(axis=1), seen.sum(axis=1), otherwise=0)[:, None] * np.sqrt(np.pi / 2)
        robust = seen * np.minimum(1, ratio(HUBER * scale, off, otherwise=1))
    return LevelFit(level, factors, weights, fitted)


def slopes_of(history: History, fit: LevelFit) -> tuple[Floats, Floats, Floats]:
    """Mean age of the level in days, slope as a share of the level per day and its standard error, each [s].

    Weighted least squares of quantity / fitted; a day counts by what was expected of it, as counts vary.
    """
    age = np.arange(history.days, 0, -1) * 1.0 - 1
    weight = fit.weights * ratio(fit.fitted, np.broadcast_to(fit.level[:, None], fit.fitted.shape), otherwise=0)
    total = weight.sum(axis=1)
    relative = ratio(history.quantity, fit.fitted, otherwise=1) * (weight > 0)
    mean_age = ratio((weight * age).sum(axis=1), total, otherwise=0)
    mean = ratio((weight * relative).sum(axis=1), total, otherwise=0)
    time = mean_age[:, None] - age
    spread = (weight * time**2).sum(axis=1)
    slope = ratio((weight * time * (relative - mean[:, None])).sum(axis=1), spread, otherwise=0)
    left = (relative - mean[:, None] - slope[:, None] * time) ** 2 * weight
    error = np.sqrt(ratio(ratio(left.sum(axis=1), total) * (weight**2 * time**2).sum(axis=1), spread**2))
    return mean_age, slope, np.nan_to_num(error, nan=1.0)
