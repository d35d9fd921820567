"""Four patterns per company (hourly, daily, weekly, seasonal), each with a confidence."""

from typing import Any

import numpy as np
import pandas as pd

from ml.analysis.cube import usage_cube
from ml.analysis.daily import daily_patterns
from ml.analysis.definitions import CONFIDENCE_THRESHOLD, DEFAULT_THRESHOLDS, DEFINITIONS_VERSION, Thresholds
from ml.analysis.hourly import PEAK_SHARE, hourly_patterns
from ml.analysis.weekly import seasonal_patterns, weekly_patterns

__all__ = ["PATTERN_TYPES", "find_patterns"]

PATTERN_TYPES = ("hourly", "daily", "weekly", "seasonal")


def find_patterns(
    hourly: pd.DataFrame,
    windows: pd.DataFrame,
    peak_share: float = PEAK_SHARE,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> pd.DataFrame:
    """Four rows per company of `windows`: company_id, pattern_type, pattern_data, confidence_score.

    `pattern_data` is a JSON-safe dict whose keys the modules `hourly`, `daily` and `weekly` document, plus
    `days`, `is_confident` (score >= 0.75) and `definitions_version`. What cannot be known yet is None, with a
    `reason`. `confidence_score` is 0..1 with 2 decimals (see `seasonality.confidence`).
    Raises ValueError for missing columns or impossible values.
    """
    cube = usage_cube(hourly, windows)
    found = {
        "hourly": hourly_patterns(cube, peak_share),
        "daily": daily_patterns(cube, thresholds),
        "weekly": weekly_patterns(cube),
        "seasonal": seasonal_patterns(cube),
    }
    days = cube.lengths.tolist()
    for patterns, scores in found.values():
        for data, score, count in zip(patterns, scores.tolist(), days, strict=True):
            data.update(
                days=count,
                is_confident=score >= CONFIDENCE_THRESHOLD,
                definitions_version=DEFINITIONS_VERSION,
            )
    return _interleave(cube.company_ids.tolist(), found)


def _interleave(company_ids: list[int], found: dict[str, tuple[list[dict[str, Any]], Any]]) -> pd.DataFrame:
    data = np.empty((len(company_ids), len(PATTERN_TYPES)), dtype=object)
    for column, kind in enumerate(PATTERN_TYPES):
        data[:, column] = found[kind][0]
    scores = np.column_stack([found[kind][1] for kind in PATTERN_TYPES])
    return pd.DataFrame(
        {
            "company_id": np.repeat(np.array(company_ids, dtype=np.int64), len(PATTERN_TYPES)),
            "pattern_type": np.tile(np.array(PATTERN_TYPES, dtype=object), len(company_ids)),
            "pattern_data": data.ravel(),
            "confidence_score": scores.ravel().astype(np.float64),
        }
    )
