"""Simple forecasts of many kinds: smoothed levels, shrunk weekday profiles and damped trends, all of them robust."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from ml.analysis.arrays import Floats, ratio
from ml.analysis.forecasting.history import History, future_slots
from ml.analysis.forecasting.level import fit_level, slopes_of
from ml.analysis.forecasting.pool import HALF_LIVES, PROFILE_STRENGTHS, RAMP_WEEKS, Pool

__all__ = ["EXPERTS", "PRIOR_WEIGHTS", "blended_forecast", "expert_forecasts"]

TRENDS = ("none", "half", "common", "own")
"""No trend; half or all of that which the series have in common; each one's own, shrunk to the common one."""
DAMPING = 0.95
LEAST_TREND, MOST_TREND = 0.3, 2.0
PRIOR = {"none": 0.4, "half": 0.1, "common": 0.1, "own": 0.4}
"""Share of each kind of trend before anything is learned: what few days have in common is seldom a trend."""

EXPERTS = tuple(product(HALF_LIVES, PROFILE_STRENGTHS, TRENDS))
"""Half-life of the level in days, multiple of the strength of the pooled weekday profile, kind of trend."""
PRIOR_WEIGHTS = np.array([PRIOR[trend] for _, _, trend in EXPERTS]) * len(TRENDS) / len(EXPERTS)


def expert_forecasts(history: History, pool: Pool, horizon: int) -> Floats:
    """Forecasts [e, s, horizon] of all experts."""
    return np.stack(list(_each(history, pool, horizon)))


def blended_forecast(history: History, pool: Pool, horizon: int, weights: Floats) -> Floats:
    """Weighted mean [s, horizon] of the experts' forecasts; `weights` [e] sum to 1."""
    out = np.zeros((len(history.ends), horizon))
    for weight, forecast in zip(weights, _each(history, pool, horizon), strict=True):
        out += weight * forecast
    return out


def _each(history: History, pool: Pool, horizon: int) -> Iterator[Floats]:
    """Each expert's forecast [s, horizon]; those that differ only in their trend share the fit.

    A trend is damped (Gardner & McKenzie 1985) and starts from the mean age of the level, not from its last day.
    """
    ahead = future_slots(horizon)
    damped = DAMPING * (1 - DAMPING ** np.arange(1, horizon + 1)) / (1 - DAMPING)
    ramp = np.append(pool.ramp, 1.0)[np.clip(history.weeks_of_age(horizon), 0, RAMP_WEEKS)]
    calendar = np.where(history.special_ahead(horizon), pool.special_factor, 1.0) * ramp[:, history.days :]
    settled = replace(history, quantity=history.quantity / ramp[:, : history.days])
    level = ratio(settled.quantity.sum(axis=1), settled.lengths, otherwise=0)
    own_strength = pool.strength(level)[:, None]
    for (half_life, common), strength in product(zip(HALF_LIVES, pool.slopes, strict=True), PROFILE_STRENGTHS):
        fit = fit_level(settled, pool.profile, half_life, strength * own_strength)
        age, own, error = slopes_of(settled, fit)
        trust = ratio(pool.slope_spread**2, pool.slope_spread**2 + error**2, otherwise=0)
        since = age[:, None] + damped
        slopes = {"none": 0 * own, "half": common / 2, "common": common, "own": trust * own + (1 - trust) * common}
        flat = fit.level[:, None] * fit.factors[:, ahead] * calendar
        for trend in TRENDS:
            slope = np.broadcast_to(slopes[trend], own.shape)[:, None]
            yield flat * np.clip(1 + slope * since, LEAST_TREND, MOST_TREND)
