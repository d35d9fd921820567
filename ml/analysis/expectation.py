"""What a day should bring, given the days before it: level, trend and weekday, with honest bounds."""

from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.trend import masked_median

__all__ = ["Expectation", "expect_day", "normal_score"]

POISSON_VARIANCE = 0.25
"""Variance of sqrt(y + 3/8) of a Poisson count (Anscombe 1948); no series is taken to vary less."""
PROFILE_SPREAD = 0.3
"""Standard deviation of weekday factors between companies: how far a company may be from its peers' profile."""
TREND_SPREAD = 0.015
"""Standard deviation of the daily change, as a share of the level on the square root scale: 3 % of the usage."""
OUTLIER_SCORE = 4.0
"""Past days beyond this many standard deviations don't shape the expectation."""
PEER_DAYS = 6.0
"""Days of history that the peers' variation weighs as much as."""
PASSES = 2


@dataclass(frozen=True, slots=True)
class Expectation:
    """Of s series on the day after their past, on the square root scale sqrt(y + 3/8) [s]: `root` expected,
    `deviation` of a new day from it, `variance` of days, `freedom` in degrees of the latter, `days` it rests on."""

    root: Floats
    deviation: Floats
    variance: Floats
    freedom: Floats
    days: Ints

    @property
    def mean(self) -> Floats:
        """Expected quantity [s]: E[x]^2 + Var[x] - 3/8, zero or more."""
        return np.maximum(self.root**2 + self.variance - 3 / 8, 0)

    def bounds(self, score: float) -> tuple[Floats, Floats]:
        """Least and largest quantity [s] that stay within `score` normal standard deviations."""
        freedom = self.freedom
        stretch = (8 * freedom + 3) / (8 * freedom + 1)
        # The inverse of `normal_score`; the exponent is bounded so that few degrees of freedom give no infinity.
        t = np.sqrt(freedom * np.expm1(np.minimum((score * stretch) ** 2 / freedom, 50)))
        low, high = np.maximum(self.root - t * self.deviation, 0), self.root + t * self.deviation
        return np.maximum(low**2 - 3 / 8, 0), high**2 - 3 / 8


def normal_score(t: Floats, freedom: Floats) -> Floats:
    """Standard normal deviate as improbable as Student's `t` (Wallace 1959, Ann. Math. Stat. 30)."""
    size = (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(t**2 / freedom))
    return np.sign(t) * size


@dataclass(frozen=True, slots=True)
class _Past:
    """Square roots of the past, youngest first, as weeks: `x` and `known` [s, w, 7], `age` in days [w, 7]; the last
    column has the weekday of the judged day. `slots` [s, 7]: index of meter and weekday of each column."""

    x: Floats
    known: Bools
    age: Ints
    slots: Ints

    @property
    def counts(self) -> Ints:
        count: Ints = self.known.sum(axis=1)
        return count


@dataclass(slots=True)
class _Model:
    """x = factor x (level + slope x age) + noise: `factor`, its `weight` of own history [s, 7], the rest [s]."""

    level: Floats
    slope: Floats
    factor: Floats
    weight: Floats
    variance: Floats
    level_variance: Floats
    freedom: Floats
    kept: Floats


def expect_day(past: Floats, known: Bools, weekday: Ints, meter: Ints) -> Expectation:
    """The day that follows `past` [s, d], event counts, the youngest day first; `known` [s, d] marks days that count.

    `weekday` [s] is that of the day to come (0 = Monday), `meter` [s] a number: series of one meter are peers.

    On the square root scale, where the variance of counts is stable (Anscombe 1948, Biometrika 35), a series is
    factor of the weekday x (level + slope x time). Factors shrink towards the peers' and the slope towards zero by
    their own precision (ridge, as in empirical Bayes). It starts from medians; days beyond `OUTLIER_SCORE` are left
    out of the next pass (reweighted least squares, Rousseeuw & Leroy 1987). The variance is moderated by the peers'
    (Smyth 2004) and never below Poisson's.
    """
    weeks = _as_weeks(past, known, weekday, meter)
    model, pooled = _start(weeks)
    for _ in range(PASSES):
        _fit(weeks, model, pooled)
    _moderate(model, meter)
    own = weeks.counts[:, 6]
    factor_variance = np.where(own > 0, model.variance * model.weight[:, 6] / np.maximum(own, 1), 0)
    factor_variance += (1 - model.weight[:, 6]) * np.where(own > 0, 0, (PROFILE_SPREAD * model.level) ** 2)
    spread = model.variance * (1 + model.factor[:, 6] ** 2 * model.level_variance) + factor_variance
    root = np.maximum(model.level * model.factor[:, 6], np.sqrt(3 / 8))
    days: Ints = weeks.known.sum(axis=(1, 2))
    return Expectation(root, np.sqrt(spread), model.variance, model.freedom, days)


def _as_weeks(past: Floats, known: Bools, weekday: Ints, meter: Ints) -> _Past:
    pad = -past.shape[1] % 7 if past.shape[1] else 7
    x, mask = (np.pad(part, ((0, 0), (0, pad))) for part in (np.sqrt(past + 3 / 8), known))
    weeks = x.shape[1] // 7
    shape = (len(past), weeks, 7)
    age = np.arange(1, 7 * weeks + 1).reshape(weeks, 7)
    slots = meter[:, None] * 7 + (weekday[:, None] - np.arange(1, 8)) % 7
    return _Past(np.where(mask, x, 0).reshape(shape), mask.reshape(shape), age, slots)


def _start(past: _Past) -> tuple[_Model, Floats]:
    """Weekday medians, and the pooled factors [meters x 7] by slot."""
    count, series = past.counts, len(past.x)
    shape = (series * 7, past.x.shape[1])
    flat = past.x.transpose(0, 2, 1).reshape(shape), past.known.transpose(0, 2, 1).reshape(shape)
    medians = masked_median(*flat).reshape(series, 7)
    seen = count > 0
    level = ratio(np.where(seen, medians, 0).sum(axis=1), seen.sum(axis=1), otherwise=np.sqrt(3 / 8))
    own = np.where(seen, ratio(medians, level[:, None]), np.nan)
    pooled = _pooled_factors(own, level, past.slots)
    days = count.sum(axis=1)
    residual = np.abs(past.x - np.where(seen, medians, 0)[:, None, :])
    scale = 1.4826 * masked_median(residual.reshape(series, past.age.size), past.known.reshape(series, past.age.size))
    variance = np.nan_to_num(scale) ** 2 * ratio(days, days - seen.sum(axis=1), otherwise=1)
    variance = np.maximum(variance, POISSON_VARIANCE)
    model = _Model(
        level=level,
        slope=np.zeros(series),
        factor=own,
        weight=np.zeros((series, 7)),
        variance=variance,
        level_variance=np.zeros(series),
        freedom=np.ones(series),
        kept=_without_outliers(past, residual, variance),
    )
    _shrink(model, own, count, pooled[past.slots])
    return model, pooled


def _pooled_factors(own: Floats, level: Floats, slots: Ints) -> Floats:
    """Median factor of each slot over the series with more than an event a day; 1 where there is none."""
    pooled = np.ones(int(slots.max(initial=-1)) + 1)
    usable = ~np.isnan(own) & (level[:, None] > 1)
    order = np.argsort(slots[usable], kind="stable")
    values, places = own[usable][order], slots[usable][order]
    found, starts = np.unique(places, return_index=True)
    for slot, part in zip(found.tolist(), np.split(values, starts[1:]), strict=False):
        pooled[slot] = np.median(part)
    return pooled


def _shrink(model: _Model, own: Floats, count: Floats | Ints, pooled: Floats) -> None:
    precision = count * np.maximum(model.level, 1e-9)[:, None] ** 2 / model.variance[:, None]
    model.weight = precision / (precision + PROFILE_SPREAD**-2)
    model.factor = model.weight * np.nan_to_num(own) + (1 - model.weight) * pooled


def _fit(past: _Past, model: _Model, pooled: Floats) -> None:
    """Leave outliers out, then trend, factors and variance in turn."""
    _trend(past, model)
    line = np.maximum(
        model.level[:, None, None] + model.slope[:, None, None] * past.age, 0.1 * model.level[:, None, None]
    )
    kept = model.kept
    own = ratio((kept * past.x * line).sum(axis=1), (kept * line**2).sum(axis=1))
    _shrink(model, own, kept.sum(axis=1), pooled[past.slots])
    used = _trend(past, model)
    line = model.level[:, None, None] + model.slope[:, None, None] * past.age
    residual = past.x - line * model.factor[:, None, :]
    used += np.maximum(model.weight.sum(axis=1) - 1, 0)
    model.freedom = np.maximum(kept.sum(axis=(1, 2)) - used, 1)
    model.variance = np.maximum((kept * residual**2).sum(axis=(1, 2)) / model.freedom, POISSON_VARIANCE)
    model.kept = _without_outliers(past, np.abs(residual), model.variance)


def _without_outliers(past: _Past, residual: Floats, variance: Floats) -> Floats:
    limit = OUTLIER_SCORE * np.sqrt(variance)[:, None, None]
    return (past.known & (residual <= limit)).astype(np.float64)


def _trend(past: _Past, model: _Model) -> Floats:
    """Level at age 0 and slope per day of age by ridge; returns the degrees of freedom [s] that they use."""
    weighted = model.kept * model.factor[:, None, :]
    s0, s1, s2 = (np.einsum("swk,sk,wk->s", weighted, model.factor, past.age.astype(float) ** p) for p in range(3))
    y0, y1 = (np.einsum("swk,swk,wk->s", weighted, past.x, past.age.astype(float) ** p) for p in range(2))
    ridge = model.variance / (TREND_SPREAD * np.maximum(model.level, 1e-9)) ** 2
    determinant = s0 * (s2 + ridge) - s1**2
    model.level = np.maximum(ratio((s2 + ridge) * y0 - s1 * y1, determinant, otherwise=0), 1e-9)
    model.slope = ratio(s0 * y1 - s1 * y0, determinant, otherwise=0)
    model.level_variance = ratio(s2 + ridge, determinant, otherwise=0)
    return 1 + ratio(s0 * s2 - s1**2, determinant, otherwise=0)


def _moderate(model: _Model, meter: Ints) -> None:
    peers = np.full(int(meter.max(initial=-1)) + 1, POISSON_VARIANCE)
    for number in range(len(peers)):
        chosen = (meter == number) & (model.level > 1)
        if chosen.any():
            peers[number] = np.median(model.variance[chosen])
    total = model.freedom + PEER_DAYS
    model.variance = (model.freedom * model.variance + PEER_DAYS * peers[meter]) / total
    model.freedom = total
