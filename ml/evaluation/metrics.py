"""Measures of forecasts of daily usage, over s series and h days."""

import numpy as np

from ml.analysis.arrays import Bools, Floats, ratio

__all__ = ["LEVELS", "coverage", "mase", "pinball_loss", "seasonal_scale", "wape"]

LEVELS = (0.1, 0.5, 0.9)
"""Levels of the quantiles that are judged; the outer two bound an interval that shall hold 80 %."""
WEEK = 7


def wape(forecast: Floats, actual: Floats, observed: Bools) -> tuple[float, float]:
    """Weighted absolute percentage error as (sum of |error|, sum of usage): cut-offs are added before dividing."""
    return float((np.abs(forecast - actual) * observed).sum()), float((actual * observed).sum())


def seasonal_scale(quantity: Floats, observed: Bools) -> Floats:
    """Mean absolute difference [s] to the same weekday a week before, in the past [s, d]; NaN without any pair."""
    pairs = observed[:, WEEK:] & observed[:, :-WEEK]
    moved = np.abs(quantity[:, WEEK:] - quantity[:, :-WEEK]) * pairs
    return ratio(moved.sum(axis=1), pairs.sum(axis=1))


def mase(forecast: Floats, actual: Floats, observed: Bools, scale: Floats) -> Floats:
    """Mean absolute scaled error [s] (Hyndman & Koehler 2006); NaN where the scale is zero or not known."""
    error = ratio((np.abs(forecast - actual) * observed).sum(axis=1), observed.sum(axis=1))
    return ratio(error, np.nan_to_num(scale))


def pinball_loss(quantiles: Floats, actual: Floats, observed: Bools) -> tuple[float, float]:
    """Quantile loss of `quantiles` [LEVELS, s, h] as (twice its sum over days, mean over levels; sum of usage)."""
    levels = np.array(LEVELS)[:, None, None]
    off = actual - quantiles
    loss = np.maximum(levels * off, (levels - 1) * off) * observed
    return 2 * float(loss.sum()) / len(LEVELS), float((actual * observed).sum())


def coverage(quantiles: Floats, actual: Floats, observed: Bools) -> tuple[int, int]:
    """Days within the interval between the outermost quantiles, and days in all; the last digits don't count."""
    slack = 1e-9 * (1 + np.abs(actual))
    inside = (actual >= quantiles[0] - slack) & (actual <= quantiles[-1] + slack) & observed
    return int(inside.sum()), int(observed.sum())
