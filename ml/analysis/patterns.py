"""Four patterns per company (hourly, daily, weekly, seasonal), each with a confidence."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Floats, Ints
from ml.analysis.chunks import usage_chunks
from ml.analysis.cube import UsageCube
from ml.analysis.daily import daily_patterns
from ml.analysis.definitions import CONFIDENCE_THRESHOLD, DEFAULT_THRESHOLDS, DEFINITIONS_VERSION, Thresholds
from ml.analysis.hourly import PEAK_SHARE, hourly_patterns
from ml.analysis.weekly import seasonal_patterns, weekly_patterns

__all__ = ["PATTERN_TYPES", "find_patterns"]

Patterns = tuple[list[dict[str, Any]], Floats]

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
    found = [
        _with_scores(places, _patterns(cube, peak_share, thresholds)) for places, cube in usage_chunks(hourly, windows)
    ]
    places, data, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order, count = np.argsort(places), len(PATTERN_TYPES)
    return pd.DataFrame(
        {
            "company_id": np.repeat(windows["company_id"].to_numpy(dtype=np.int64), count),
            "pattern_type": np.tile(np.array(PATTERN_TYPES, dtype=object), len(order)),
            "pattern_data": data[order].ravel(),
            "confidence_score": scores[order].ravel(),
        }
    )


def _patterns(cube: UsageCube, peak_share: float, thresholds: Thresholds) -> tuple[Patterns, ...]:
    """Dicts and scores per pattern type, in their order."""
    found = (
        hourly_patterns(cube, peak_share),
        daily_patterns(cube, thresholds),
        weekly_patterns(cube),
        seasonal_patterns(cube),
    )
    days = cube.lengths.tolist()
    for patterns, scores in found:
        for data, is_confident, count in zip(patterns, (scores >= CONFIDENCE_THRESHOLD).tolist(), days, strict=True):
            data["days"], data["is_confident"] = count, is_confident
            data["definitions_version"] = DEFINITIONS_VERSION
    return found


def _with_scores(places: Ints, found: tuple[Patterns, ...]) -> tuple[Ints, npt.NDArray[np.object_], Floats]:
    """Places [c] with the dicts and scores [c, types]."""
    data = np.empty((len(places), len(found)), dtype=object)
    for column, (patterns, _) in enumerate(found):
        data[:, column] = patterns
    return places, data, np.column_stack([scores for _, scores in found])
