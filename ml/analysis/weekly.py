"""The weekly pattern and, once two years exist, the seasonal one."""

from typing import Any

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, as_json_list, only_where, ratio, shares
from ml.analysis.cube import UsageCube
from ml.analysis.seasonality import confidence, mean_profile, seasonal_strength, split_half_reliability
from ml.analysis.windows import weekday_of

__all__ = ["heatmap", "seasonal_patterns", "weekday_means", "weekly_patterns"]

YEAR = 365
SEASONS = 12

Patterns = tuple[list[dict[str, Any]], Floats]


def weekday_means(totals: Floats, weekdays: Ints, valid: Bools) -> Floats:
    """Mean of `totals` [c, d] per weekday [c, 7], 0 = Monday; NaN for a weekday that never came."""
    means = np.full((len(totals), 7), np.nan)
    for weekday in range(7):
        chosen = (weekdays == weekday) & valid
        means[:, weekday] = ratio((totals * chosen).sum(axis=1), chosen.sum(axis=1))
    return means


def heatmap(cube: UsageCube) -> Floats:
    """Mean calls per weekday and hour [c, 7, 24], 0 = Monday; zeros for a weekday that never came."""
    places = np.arange(7)
    sums = np.stack([cube.calls[:, place::7].sum(axis=1) for place in places], axis=1)
    days = np.maximum(-(-(cube.lengths[:, None] - places) // 7), 0)
    means = ratio(sums, days[:, :, None], otherwise=0)
    turned = (places - weekday_of(cube.starts)[:, None]) % 7
    return np.take_along_axis(means, turned[:, :, None], axis=1)


def weekly_patterns(cube: UsageCube) -> Patterns:
    """Pattern dicts and confidence [c], with the keys:

    - `distribution`: 7 shares of an average week's calls, Monday first; None under 7 days or without calls
    - `peak_weekday`: 0 = Monday, the earlier one among equals; None like the distribution
    - `heatmap`: mean calls per weekday and hour, 7 lists of 24, Monday first; None like the distribution
    - `pattern_strength`: strength of seasonality over complete weeks; None under 14 days

    A weekday counts by its mean, so that an incomplete week favours none.
    """
    totals = cube.calls.sum(axis=2)
    means = weekday_means(totals, cube.weekdays, cube.valid)
    distribution = shares(np.where(cube.lengths[:, None] >= 7, means, 0))
    weeks, valid = _whole_cycles(totals, cube.lengths, 7)
    known = ~np.isnan(distribution[:, 0])
    columns = (
        only_where(known, distribution),
        only_where(known, means.argmax(axis=1)),
        only_where(known, np.round(heatmap(cube), 2)),
        as_json_list(seasonal_strength(weeks, valid), 6),
        [
            "no_calls" if not calls else "fewer_than_14_days" if count < 14 else None
            for calls, count in zip(totals.sum(axis=1).tolist(), cube.lengths.tolist(), strict=True)
        ],
    )
    keys = ("distribution", "peak_weekday", "heatmap", "pattern_strength", "reason")
    patterns = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    return patterns, confidence(cube.lengths, split_half_reliability(weeks, valid))


def seasonal_patterns(cube: UsageCube) -> Patterns:
    """Pattern dicts and confidence [c], with the keys `value` and `reason`.

    `value` is the strength of seasonality over years of 12 equal parts, counted from the window's start; None
    with the reason `fewer_than_2_years` (and confidence 0) until two whole years exist. Then `distribution`
    holds the 12 shares.
    """
    totals = cube.calls.sum(axis=2)
    years, valid = _whole_cycles(totals, cube.lengths, YEAR)
    edges = np.arange(SEASONS) * YEAR // SEASONS
    parts = np.add.reduceat(years, edges, axis=2) if years.size else np.zeros((*valid.shape, SEASONS))
    value = seasonal_strength(parts, valid)
    seen = ~np.isnan(value)
    distribution = shares(mean_profile(parts, valid))
    patterns: list[dict[str, Any]] = [
        {"value": strength, "reason": None if is_seen else "fewer_than_2_years"}
        | ({"distribution": row} if is_seen else {})
        for strength, is_seen, row in zip(
            as_json_list(value, 6), seen.tolist(), as_json_list(distribution), strict=True
        )
    ]
    return patterns, np.where(seen, confidence(cube.lengths, split_half_reliability(parts, valid)), 0.0)


def _whole_cycles(totals: Floats, lengths: Ints, period: int) -> tuple[Floats, Bools]:
    """Daily totals [c, d] as cycles [c, k, period] from the window's start, and which are complete [c, k]."""
    count = totals.shape[1] // period
    cycles = totals[:, : count * period].reshape(len(totals), count, period)
    return cycles, np.arange(count) < (lengths // period)[:, None]
