"""Robust growth of daily totals, free of the weekday rhythm where there is enough history."""

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.definitions import DEFAULT_THRESHOLDS, Thresholds

__all__ = ["masked_median", "robust_slope", "weekly_growth"]

TWO_WEEKS = 14


def masked_median(values: Floats, mask: Bools) -> Floats:
    """Median of each row of `values` [c, n] over the cells where `mask` holds; NaN for a row without any."""
    count = mask.sum(axis=1)
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    ordered = np.sort(np.where(mask, values, np.inf), axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum(count - 1, 0) // 2]
    high = ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    return np.where(count > 0, np.where(low == high, low, (low + high) / 2), np.nan)


def robust_slope(totals: Floats, lengths: Ints) -> tuple[Floats, Floats]:
    """Change per day of `totals` [c, d] and how far its pairs agree, each [c].

    Theil-Sen: the median slope over pairs of days (Sen 1968). From 14 days on only pairs of the same weekday
    count, as in the seasonal estimator of Hirsch, Slack and Smith (1982), so a closed Sunday is no decline.
    Two days without usage (both closed) say nothing and make no pair.
    Agreement = |rising - falling| / (rising + falling) pairs: 1 when all point one way, 0 when none moves.
    NaN slope where there is no pair.
    """
    slope, agreement = _slope_over(totals[:, : TWO_WEEKS - 1], lengths, same_weekday=False)
    long = lengths >= TWO_WEEKS
    if long.any():
        slope[long], agreement[long] = _slope_over(totals[long], lengths[long], same_weekday=True)
    return slope, agreement


def _slope_over(totals: Floats, lengths: Ints, *, same_weekday: bool) -> tuple[Floats, Floats]:
    first, second = np.triu_indices(totals.shape[1], k=1)
    if same_weekday:
        keep = (second - first) % 7 == 0
        first, second = first[keep], second[keep]
    known = (second < lengths[:, None]) & ((totals[:, first] > 0) | (totals[:, second] > 0))
    slopes = (totals[:, second] - totals[:, first]) / (second - first)
    rising, falling = ((slopes > 0) & known).sum(axis=1), ((slopes < 0) & known).sum(axis=1)
    agreement = ratio(np.abs(rising - falling), rising + falling, otherwise=0)
    return masked_median(slopes, known), agreement


def weekly_growth(
    totals: Floats, lengths: Ints, thresholds: Thresholds = DEFAULT_THRESHOLDS
) -> tuple[Floats, npt.NDArray[np.str_]]:
    """Growth per week as a share of the mean level [c], and its trajectory up, down or stable [c].

    growth = 7 x robust slope / mean total of the days with usage; NaN under
    `growth_min_days` days or without usage. It is called up or down when it is beyond +-`growth_per_week` and
    the pairs agree by `growth_agreement`: a rule that leaves pure noise at stable.
    """
    slope, agreement = robust_slope(totals, lengths)
    mean = ratio(totals.sum(axis=1), (totals > 0).sum(axis=1), otherwise=0)
    growth = ratio(7 * slope, np.where(lengths >= thresholds.growth_min_days, mean, 0))
    clear = agreement >= thresholds.growth_agreement
    up, down = clear & (growth > thresholds.growth_per_week), clear & (growth < -thresholds.growth_per_week)
    return growth, np.select([up, down], ["up", "down"], default="stable")
