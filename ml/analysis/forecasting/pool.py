"""What all series of a kind have in common: weekdays, drift, holidays and the first weeks after the activation."""

from dataclasses import dataclass, field

import numpy as np

from ml.analysis.arrays import Floats, ratio
from ml.analysis.forecasting.history import WEEK, History, past_slots
from ml.analysis.forecasting.level import LevelFit, fit_level, slopes_of
from ml.analysis.windows import weekday_of

__all__ = ["HALF_LIVES", "PROFILE_STRENGTHS", "RAMP_WEEKS", "Pool", "pool_of"]

HALF_LIVES = (7.0, 14.0, 28.0, np.inf)
"""Half-lives of the level in days, for each of which the common slope is known."""
PROFILE_STRENGTHS = (1.0, 4.0)
"""Multiples of a series' own strength by which experts hold to the pooled profile."""
PROFILE_STRENGTH, LEAST_STRENGTH, MOST_STRENGTH = 2.0, 0.25, 8.0
CONTRAST = 0.04
"""Variance of weekday factors that is thought usual when precisions are weighed: a fifth up or down."""
VARIANCE_DAYS = 56
"""Days of the past by which variances are judged; longer ones have drifted."""
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
    `noise`, `grain`: relative variance of a day is noise + grain / level. `contrast`: variance of the series' own
    weekday factors around the pooled ones, 0 until it is known.
    `ramp` [weeks]: usage in the first weeks after the activation as a share of that when they are over.
    """

    profile: Floats
    slopes: Floats
    slope_spread: float = SLOPE_SPREAD
    special_factor: float = 1.0
    variation: float = 0.5
    noise: float = 0.0
    grain: float = 0.0
    contrast: float = 0.0
    ramp: Floats = field(default_factory=lambda: np.ones(RAMP_WEEKS))

    def strength(self, level: Floats) -> Floats:
        """Observations of a weekday [s] at which a series' own mean weighs as much as the pooled factor.

        Variance of a day / variance between series: empirical Bayes (Buehlmann 1967). A large series, whose days vary
        little, keeps its own rhythm; a small one borrows.
        """
        if not self.contrast > 0:
            return np.full(len(level), PROFILE_STRENGTH)
        found = (self.noise + ratio(self.grain, level, otherwise=0)) / self.contrast
        return np.asarray(np.clip(found, LEAST_STRENGTH, MOST_STRENGTH))


def pool_of(history: History, recent_days: int) -> Pool:
    """What the series have in common: the profile from their whole past, slopes from its last `recent_days`.

    Profile: per weekday the median over days of total / centred mean of seven days' totals, so that neither a trend
    nor a single holiday bends it. Slopes: weighted least squares of total / fitted total. Holidays: total on them /
    fitted total, shrunk to 1 by one day. Ramp: median over series of a week's usage / that of the weeks 5 to 8.
    """
    profile = _profile(history)
    recent, slopes = history.last(recent_days), np.zeros(len(HALF_LIVES))
    for number, half_life in enumerate(HALF_LIVES):
        fit = fit_level(recent, profile, half_life, PROFILE_STRENGTH)
        slopes[number] = float(slopes_of(*_total(recent, fit))[1][0])
    _, own, error = slopes_of(recent, fit)
    whole = fit_level(history, profile, HALF_LIVES[-1], PROFILE_STRENGTH)
    return Pool(
        profile,
        slopes,
        _spread(own, error),
        _special_factor(history, whole),
        **_variances(history.last(VARIANCE_DAYS), profile),
        ramp=_ramp(history),
    )


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


def _variances(history: History, profile: Floats) -> dict[str, float]:
    """`noise`, `grain` and `contrast` of a pool, from weekdays that series have seen twice; empty without any.

    Noise: median variance within weekdays of the larger half of the series; grain: median of what is above it, times
    the level. Contrast: what the weekday means vary more than that explains, each by its precision.
    """
    slots, seen = np.eye(WEEK)[past_slots(history.days)], history.ordinary.astype(np.float64)
    count = seen @ slots
    used = np.asarray(history.quantity.any(axis=1))
    twice = (count >= 2) & used[:, None]
    known = twice.any(axis=1)
    if not known.any():
        return {}
    level = ratio((history.quantity * seen).sum(axis=1), seen.sum(axis=1), otherwise=0)
    relative = ratio(history.quantity, np.broadcast_to(level[:, None], history.quantity.shape), otherwise=0)
    mean = ratio((relative * seen) @ slots, count, otherwise=0)
    within = ratio(((relative - mean @ slots.T) ** 2 * seen) @ slots, count - 1, otherwise=0)
    own = ratio((within * twice).sum(axis=1), twice.sum(axis=1), otherwise=0)
    noise = float(np.median(own[known & (level >= np.median(level[known]))]))
    grain = float(np.median(np.maximum(own[known] - noise, 0) * level[known]))
    expected = (noise + ratio(grain, level, otherwise=0))[:, None] / np.maximum(count, 1)
    excess = (mean - history.in_slots(profile)) ** 2 - expected
    precision = twice / (expected + CONTRAST) ** 2
    contrast = float(ratio((precision * excess).sum(), precision.sum(), otherwise=0))
    return {"noise": noise, "grain": grain, "contrast": max(contrast, 0.0)}


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
    cells = known[:, None], first[:, None] + np.arange(days)
    # The first day is seldom a whole one and not observed: weeks are compared by their mean days.
    used, seen = (
        part[cells].reshape(len(known), -1, WEEK).sum(axis=2) for part in (history.quantity, history.observed)
    )
    weekly = ratio(used, seen, otherwise=0)
    later = weekly[:, RAMP_WEEKS:].mean(axis=1)
    count = int((later > 0).sum())
    if count < FEWEST_RAMPS:
        return ramp
    middle = np.median(weekly[later > 0, :RAMP_WEEKS] / later[later > 0, None], axis=0)
    shrunk: Floats = (count * np.clip(middle, 0.1, 10) + FEWEST_RAMPS) / (count + FEWEST_RAMPS)
    return shrunk
