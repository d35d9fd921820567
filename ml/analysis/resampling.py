"""Which days of the past a scenario repeats: one draw for all meters, and for all companies of a length."""

from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Floats
from ml.analysis.level import smoothing_weights

__all__ = ["DayDraws", "day_draws"]


@dataclass(frozen=True, slots=True)
class DayDraws:
    """`days` [d, p]: weight with which the residual of a past day enters the total of a path; `shock` [p]:
    standard normal draw times the square root of the same total weight, for what has no own history."""

    days: Floats
    shock: Floats


def day_draws(length: int, horizon_days: int, paths: int, seed: int) -> DayDraws:
    """Draws for windows of `length` days.

    Residual bootstrap with whole days as blocks (Efron & Tibshirani 1993, chapters 8 and 9). A path adds two
    errors: the days to come (`horizon_days` draws) and that of the level, which was itself estimated from
    `length` days (one draw each, by its smoothing weight, times the horizon). With 14 days of history the
    second is the larger one. Draws are centred over the paths, so that the mean of the paths is the projection.
    """
    random = np.random.default_rng([seed, length])
    weight = smoothing_weights(length - 1 - np.arange(length))
    weight = weight / weight.sum()
    # A multinomial count is the sum of independent draws of a day, without holding each draw.
    days = random.multinomial(horizon_days, np.full(length, 1 / length), size=paths).astype(np.float64)
    for share in weight:
        days[np.arange(paths), random.integers(length, size=paths)] += horizon_days * share
    shock = random.standard_normal(paths) * np.sqrt(horizon_days + horizon_days**2 * (weight**2).sum())
    return DayDraws(days=(days - days.mean(axis=0)).T, shock=shock - shock.mean())
