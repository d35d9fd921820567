"""How strong and how dependable a repeating profile is; one formula for hours, weekdays and seasons."""

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, ratio

__all__ = ["CONFIDENCE_DAYS", "confidence", "mean_profile", "seasonal_strength", "split_half_reliability"]

CONFIDENCE_DAYS = 3.5
"""Days of history at which the size factor is one half; 14 days give 0.80, 7 days 0.67."""


def mean_profile(cycles: Floats, valid: Bools) -> Floats:
    """Profile [c, m]: the mean of `cycles` [c, k, m] over the `valid` ones [c, k], zeros without any."""
    total = np.einsum("ckm,ck->cm", cycles, valid.astype(np.float64))
    return ratio(total, valid.sum(axis=1)[:, None], otherwise=0)


def seasonal_strength(cycles: Floats, valid: Bools) -> Floats:
    """Strength of seasonality [c] of `cycles` [c, k cycles, m positions], 0..1; NaN under two valid cycles.

    F = max(0, 1 - Var(R) / Var(S + R)), Hyndman & Athanasopoulos, Forecasting: Principles and Practice,
    3rd ed., section 4.3. Trend T = mean of each cycle, seasonal S = mean over cycles of what is left at each
    position, remainder R = x - T - S. A series that never moves within a cycle has strength 0.
    """
    moving = (cycles - cycles.mean(axis=2, keepdims=True)) * valid[:, :, None]
    count = valid.sum(axis=1)
    seasonal = mean_profile(moving, valid)
    whole = np.einsum("ckm,ckm->c", moving, moving)
    # S and R are orthogonal, so the sum of squares of R is that of S + R less that of S.
    explained = count * np.einsum("cm,cm->c", seasonal, seasonal)
    return np.where(count >= 2, np.clip(ratio(explained, whole, otherwise=0), 0, 1), np.nan)


def split_half_reliability(cycles: Floats, valid: Bools) -> Floats:
    """Reliability [c], 0..1, of the mean profile: even cycles against odd ones; 0 under two valid cycles.

    Pearson's r of the two half profiles, stepped up to the full length by Spearman-Brown, 2r / (1 + r)
    (Spearman 1910, Brown 1910); negative r and a profile without any variation count as 0.
    """
    even = np.arange(cycles.shape[1]) % 2 == 0
    first, second = mean_profile(cycles, valid & even), mean_profile(cycles, valid & ~even)
    first, second = (half - half.mean(axis=1, keepdims=True) for half in (first, second))
    scale = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    r = np.clip(ratio((first * second).sum(axis=1), scale, otherwise=0), 0, 1)
    return ratio(2 * r, 1 + r)


def confidence(days: Ints, reliability: Floats) -> Floats:
    """Confidence [c], 0..1, rounded to 2 decimals: days / (days + CONFIDENCE_DAYS) x reliability.

    The first factor is Buehlmann's credibility n / (n + k) (1967): much data cannot make an unstable profile
    credible, and a stable one needs enough data.
    """
    return np.round(days / (days + CONFIDENCE_DAYS) * reliability, 2)
