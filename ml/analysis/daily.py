"""The daily pattern: level, variation and trend of the daily totals."""

from typing import Any

import numpy as np

from ml.analysis.arrays import Bools, Floats, as_json_list, ratio
from ml.analysis.cube import UsageCube
from ml.analysis.definitions import DEFAULT_THRESHOLDS, Thresholds
from ml.analysis.seasonality import confidence
from ml.analysis.trend import robust_slope, weekly_growth

__all__ = ["daily_patterns"]


def daily_patterns(cube: UsageCube, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> tuple[list[dict[str, Any]], Floats]:
    """Pattern dicts and confidence [c], with the keys:

    - `mean_calls`, `mean_seconds`: per day of the window, days without usage included
    - `variation`: standard deviation / mean of the daily calls (population); None without calls
    - `slope_per_day`: calls per day (see `trend.robust_slope`); None for a single day
    - `growth_per_week`, `trend`: see `trend.weekly_growth`
    - `active_days`: days with at least one call

    Confidence: stability is min / max of the mean calls of even and odd days of the window.
    """
    totals, days = cube.calls.sum(axis=2), cube.lengths
    mean = totals.sum(axis=1) / days
    spread = np.sqrt((((totals - mean[:, None]) * cube.valid) ** 2).sum(axis=1) / days)
    growth, trajectory = weekly_growth(totals, days, thresholds)
    columns = (
        as_json_list(mean, 4),
        as_json_list(cube.seconds.sum(axis=(1, 2)) / days, 2),
        as_json_list(ratio(spread, mean), 4),
        as_json_list(robust_slope(totals, days)[0], 6),
        as_json_list(growth, 6),
        trajectory.tolist(),
        (totals > 0).sum(axis=1).tolist(),
        [None if calls else "no_calls" for calls in mean.tolist()],
    )
    keys = (
        "mean_calls", "mean_seconds", "variation", "slope_per_day", "growth_per_week", "trend", "active_days",
        "reason",
    )  # fmt: skip
    patterns = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    return patterns, confidence(days, _level_stability(totals, cube.valid))


def _level_stability(totals: Floats, valid: Bools) -> Floats:
    even = np.arange(totals.shape[1]) % 2 == 0
    first, second = (
        ratio((totals * half).sum(axis=1), (valid & half).sum(axis=1), otherwise=0) for half in (even, ~even)
    )
    return ratio(np.minimum(first, second), np.maximum(first, second), otherwise=0)
