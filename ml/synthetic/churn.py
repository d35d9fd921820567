"""Companies that stop using the product, and others that only look like it: daily counts for the churn backtest."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.synthetic.archetypes import ARCHETYPES

__all__ = ["UsageHistories", "simulate_histories"]

LEVELS = (0.4, 200.0)
"""Events a day of the smallest and the largest company; their logarithms are spread evenly."""
DISPERSION = 15.0
"""Var = mean + mean^2 / dispersion of a day's count."""
CHURN_SHARE = 0.5
ABRUPT_SHARE = 0.3
DECAY_DAYS = (14, 70)
"""How long the usage of a company fades, to a twentieth, before it ends; abrupt ends have no warning."""
FADED_TO = 0.05
VACATION_SHARE, VACATION_DAYS = 0.4, (7, 22)
PAUSE_SHARE, PAUSE_DAYS = 0.08, (20, 45)
"""A company that pauses is not used at all, and comes back."""
SHRINK_SHARE, SHRINK_TO = 0.15, (0.3, 0.7)
SEASON_SHARE, SEASON_DEPTH = 0.3, (0.2, 0.7)
WEEKLY_DRIFT = 0.06

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class UsageHistories:
    """`counts` [c, d] events per day; `starts` [c] first day of each company; `ends` [c] first day after its usage
    has ended for good, d where it goes on; day 0 is a Monday."""

    counts: Floats
    starts: Ints
    ends: Ints


def simulate_histories(companies: int, days: int, seed: int) -> UsageHistories:
    """Negative binomial counts around a level that drifts, has weekdays, vacations, pauses, seasons and a decline.

    Half of the companies end on a random day, most after their usage faded for some weeks; the others have the same
    dips but go on. Deterministic in its arguments. Raises ValueError for fewer than one company or 60 days.
    """
    if companies < 1 or days < 60:
        raise ValueError(f"histories of {companies} companies over {days} days; at least 1 and 60 are needed.")
    random = np.random.default_rng([seed, 7])
    day = np.arange(days)
    low, high = np.log(LEVELS).tolist()
    level = np.exp(random.uniform(low, high, companies))[:, None] * _weekdays(companies, day, random)
    drift = random.normal(0, WEEKLY_DRIFT, (companies, days // 7 + 1)).cumsum(axis=1)
    level *= np.exp(drift[:, day // 7]) * _season(companies, day, random)
    level *= _step(companies, day, random)
    level *= _gap(companies, day, VACATION_SHARE, VACATION_DAYS, 0.05, random)
    level *= _gap(companies, day, PAUSE_SHARE, PAUSE_DAYS, 0.0, random)
    starts = np.where(random.random(companies) < 0.4, random.integers(0, days - 45, companies), 0)
    ends = np.where(random.random(companies) < CHURN_SHARE, random.integers(30, days, companies), days)
    ends = np.maximum(ends, starts + 20)
    level *= _decline(ends, day, random) * (day >= starts[:, None]) * (day < ends[:, None])
    noise = random.gamma(DISPERSION, 1 / DISPERSION, level.shape)
    counts = random.poisson(level * noise).astype(np.float64)
    return UsageHistories(counts, starts, np.minimum(ends, days))


def _weekdays(companies: int, day: Ints, random: np.random.Generator) -> Floats:
    profiles = np.array([kind.weekdays for kind in ARCHETYPES])
    profiles /= profiles.mean(axis=1, keepdims=True)
    return np.asarray(profiles[random.integers(len(profiles), size=companies)][:, day % 7])


def _season(companies: int, day: Ints, random: np.random.Generator) -> Floats:
    depth = random.uniform(*SEASON_DEPTH, companies) * (random.random(companies) < SEASON_SHARE)
    period, phase = random.uniform(90, 365, companies), random.uniform(0, 2 * np.pi, companies)
    wave = np.sin(2 * np.pi * day / period[:, None] + phase[:, None])
    return np.asarray(1 - depth[:, None] * (1 + wave) / 2)


def _step(companies: int, day: Ints, random: np.random.Generator) -> Floats:
    smaller = random.uniform(*SHRINK_TO, companies)
    at = np.where(random.random(companies) < SHRINK_SHARE, random.integers(0, len(day), companies), len(day))
    return np.where(day >= at[:, None], smaller[:, None], 1.0)


def _gap(
    companies: int, day: Ints, share: float, lengths: tuple[int, int], left: float, random: np.random.Generator
) -> Floats:
    first = random.integers(0, len(day), companies)
    length = random.integers(*lengths, companies) * (random.random(companies) < share)
    away = (day >= first[:, None]) & (day < (first + length)[:, None])
    return np.where(away, left, 1.0)


def _decline(ends: Ints, day: Ints, random: np.random.Generator) -> Floats:
    length = random.integers(*DECAY_DAYS, len(ends))
    fades = (random.random(len(ends)) >= ABRUPT_SHARE) & (ends < len(day))
    progress = np.clip((day - (ends - length)[:, None]) / length[:, None], 0, 1)
    return np.where(fades[:, None], FADED_TO**progress, 1.0)
