"""The daily pattern: level, variation and trend of the daily totals."""

from typing import Any

import numpy as np

from ml.analysis.arrays import Bools, Floats, as_json_list, ratio
from ml.analysis.change_points import CHANGE_MIN_DAYS, change_points
from ml.analysis.cube import UsageCube
from ml.analysis.definitions import DEFAULT_THRESHOLDS, Thresholds
from ml.analysis.seasonality import confidence
from ml.analysis.trend import weekly_growth

__all__ = ["daily_patterns"]


def daily_patterns(cube: UsageCube, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> tuple[list[dict[str, Any]], Floats]:
    """Pattern dicts and confidence [c], with the keys:

    - `mean_calls`, `mean_seconds`: per day of the window, days without usage included
    - `variation`: standard deviation / mean of the daily calls (population); None without calls
    - `slope_per_day`: calls per day (see `trend.weekly_growth`); None for a single day and without calls
    - `growth_per_week`, `growth_low`, `growth_high` (80 % interval), `trend`: see `trend.weekly_growth`
    - `change_points`: up to three of {date, before, after}, calls per day (see `change_points.change_points`);
      None under 14 days
    - `active_days`: days with at least one call

    Confidence: stability is min / max of the mean calls of even and odd days of the window.
    """
    totals, days = cube.calls.sum(axis=2), cube.lengths
    mean = totals.sum(axis=1) / days
    spread = np.sqrt((((totals - mean[:, None]) * cube.valid) ** 2).sum(axis=1) / days)
    growth = weekly_growth(totals, days, thresholds)
    columns = (
        as_json_list(mean, 4),
        as_json_list(cube.seconds.sum(axis=(1, 2)) / days, 2),
        as_json_list(ratio(spread, mean), 4),
        as_json_list(growth.slope_per_day, 6),
        as_json_list(growth.per_week, 6),
        as_json_list(growth.low, 6),
        as_json_list(growth.high, 6),
        growth.trajectory.tolist(),
        _changes(cube, totals),
        (totals > 0).sum(axis=1).tolist(),
        [None if calls else "no_calls" for calls in mean.tolist()],
    )
    keys = (
        "mean_calls", "mean_seconds", "variation", "slope_per_day", "growth_per_week", "growth_low", "growth_high",
        "trend", "change_points", "active_days", "reason",
    )  # fmt: skip
    patterns = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    return patterns, confidence(days, _level_stability(totals, cube.valid))


def _changes(cube: UsageCube, totals: Floats) -> list[list[dict[str, Any]] | None]:
    changes: list[list[dict[str, Any]] | None] = [
        [] if is_long else None for is_long in (cube.lengths >= CHANGE_MIN_DAYS).tolist()
    ]
    found = change_points(totals, cube.lengths)
    dates = (cube.starts[found.rows] + found.days).astype(str).tolist()
    levels = zip(np.round(found.before, 2).tolist(), np.round(found.after, 2).tolist(), strict=True)
    for row, date, (before, after) in zip(found.rows.tolist(), dates, levels, strict=True):
        told = changes[row]
        if told is not None:
            told.append({"date": date, "before": before, "after": after})
    return changes


def _level_stability(totals: Floats, valid: Bools) -> Floats:
    even = np.arange(totals.shape[1]) % 2 == 0
    first, second = (
        ratio((totals * half).sum(axis=1), (valid & half).sum(axis=1), otherwise=0) for half in (even, ~even)
    )
    return ratio(np.minimum(first, second), np.maximum(first, second), otherwise=0)
