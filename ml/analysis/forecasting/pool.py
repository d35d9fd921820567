"""What all series of a kind have in common: weekdays, drift, holidays and the first weeks after the activation."""

from dataclasses import dataclass, field

import numpy as np

from ml.analysis.arrays import Floats, ratio
from ml.analysis.forecasting.history import WEEK, History
from ml.analysis.forecasting.level import LevelFit, fit_level, slopes_of
from ml.analysis.windows import weekday_of

__all__ = ["HALF_LIVES", "PROFILE_STRENGTHS", "RAMP_WEEKS", "Pool", "pool_of"]

HALF_LIVES = (7.0, 14.0, 28.0, np.inf)
"""Half-lives of the level in days, for each of which the common slope is known."""
PROFILE_STRENGTHS = (2.0, 8.0)
"""Observations of a weekday at which its own mean weighs as much as the pooled factor."""
RAMP_WEEKS = 4
FEWEST_RAMPS = 5
"""Companies whose first eight weeks are known, from which on a ramp is learned; they weigh as much as none at all."""
FEWEST_SLOPES = 5
SLOPE_SPREAD = 0.005
"""Standard deviation of companies' slopes (share of the level per day) around the common one, until it is learned."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What all series of a kind have in common.

    `profile` [7]: weekday factors, Monday first, 1 on average. `slopes` [half-lives]: share of the level per day.
    `slope_spread`: standard deviation of the series' own slopes around it. `special_factor`: usage of a holiday as
    a share of that of an ordinary day. `variation`: daily deviation / level of the median series.
    `ramp` [weeks]: usage in the first weeks after the activation as a share of that when they are over.
    """

    profile: Floats
    slopes: Floats
    slope_spread: float = SLOPE_SPREAD
    special_factor: float = 1.0
    variation: float = 0.5
    ramp: Floats = field(default_factory=lambda: np.ones(RAMP_WEEKS))


def pool_of(history: History, recent_days: int) -> Pool:
    """What the series have in common: the profile from their whole past, slopes from its last `recent_days`.

    Profile: per weekday the median over days of total / centred mean of seven days' totals, so that neither a trend
    nor a single holiday bends it. Slopes: weighted least squares of total / fitted total. Holidays: total on them /
    fitted total, shrunk to 1 by one day. Ramp: median over series of a week's usage / that of the weeks 5 to 8.
    """
    profile = _profile(history)
    recent, slopes = history.last(recent_days), np.zeros(len(HALF_LIVES))
    for number, half_life in enumerate(HALF_LIVES):
        fit = fit_level(recent, profile, half_life, PROFILE_STRENGTHS[0])
        slopes[number] = float(slopes_of(*_total(recent, fit))[1][0])
    _, own, error = slopes_of(recent, fit)
    whole = fit_level(history, profile, HALF_LIVES[-1], PROFILE_STRENGTHS[0])
    return Pool(profile, slopes, _spread(own, error), _special_factor(history, whole), ramp=_ramp(history))


def _profile(history: History) -> Floats:
    # Series may end on different days: totals are counted per calendar day.
    offsets = (history.ends - history.ends.min()).astype(np.int64) if len(history.ends) else np.zeros(0, np.int64)
    days = history.days + int(offsets.max(initial=0))
    totals, counts = np.zeros(days), np.zeros(days)
    ordinary = history.ordinary
    for offset in np.unique(offsets).tolist():
        rows = offsets == offset
        totals[offset : offset + history.days] += (history.quantity[rows] * ordinary[rows]).sum(axis=0)
        counts[offset : offset + history.days] += ordinary[rows].sum(axis=0)
    if days < WEEK or not totals.any():
        return np.ones(WEEK)
    mean = ratio(totals, counts)
    weekdays = (int(weekday_of(history.ends.min()[None])[0]) - history.days + np.arange(days)) % WEEK
    # Without two weeks there is no trend to take out.
    around = np.full(days, np.nanmean(mean))
    if days >= 2 * WEEK:
        around = np.full(days, np.nan)
        around[3:-3] = ratio(np.convolve(totals, np.ones(WEEK), "valid"), np.convolve(counts, np.ones(WEEK), "valid"))
    relative = ratio(mean, np.nan_to_num(around))
    factors = np.ones(WEEK)
    for weekday in range(WEEK):
        known = relative[(weekdays == weekday) & ~np.isnan(relative)]
        if len(known):
            factors[weekday] = np.median(known)
    return factors / factors.mean() if factors.mean() > 0 else np.ones(WEEK)


def _total(history: History, fit: LevelFit) -> tuple[History, LevelFit]:
    """All series as one, whose fit is the sum of theirs."""
    total = (history.quantity * fit.weights).sum(axis=0, keepdims=True)
    fitted = (fit.fitted * fit.weights).sum(axis=0, keepdims=True)
    one = History(total, np.asarray(fit.weights.any(axis=0, keepdims=True)), history.ends[:1])
    weights = fit.weights.sum(axis=0, keepdims=True)
    return one, LevelFit(np.ones(1), np.ones((1, WEEK)), weights, fitted)


def _spread(own: Floats, error: Floats) -> float:
    """Between-series deviation of slopes: total variance less that of the estimates (DerSimonian & Laird 1986)."""
    if len(own) < FEWEST_SLOPES:
        return SLOPE_SPREAD
    weight = 1 / np.maximum(error, SLOPE_SPREAD / 10) ** 2
    mean = (weight * own).sum() / weight.sum()
    excess = (weight * (own - mean) ** 2).sum() - (len(own) - 1)
    return float(np.sqrt(max(excess / (weight.sum() - (weight**2).sum() / weight.sum()), 0)))


def _special_factor(history: History, fit: LevelFit) -> float:
    if history.special is None:
        return 1.0
    on = history.observed & history.special[:, : history.days]
    expected = (fit.fitted * on).sum()
    if not expected > 0:
        return 1.0
    days = on.any(axis=0).sum()
    return float(((history.quantity * on).sum() / expected * days + 1) / (days + 1))


def _ramp(history: History) -> Floats:
    ramp = np.ones(RAMP_WEEKS)
    if history.ages is None:
        return ramp
    days = 2 * RAMP_WEEKS * WEEK
    known = np.flatnonzero((history.ages >= days) & (history.ages <= history.days))
    if len(known) < FEWEST_RAMPS:
        return ramp
    first = history.days - history.ages[known]
    early = history.quantity[known[:, None], first[:, None] + np.arange(days)]
    weekly = early.reshape(len(known), -1, WEEK).sum(axis=2)
    later = weekly[:, RAMP_WEEKS:].mean(axis=1)
    count = int((later > 0).sum())
    if count < FEWEST_RAMPS:
        return ramp
    middle = np.median(weekly[later > 0, :RAMP_WEEKS] / later[later > 0, None], axis=0)
    shrunk: Floats = (count * np.clip(middle, 0.1, 10) + FEWEST_RAMPS) / (count + FEWEST_RAMPS)
    return shrunk
