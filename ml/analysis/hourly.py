"""The hourly pattern: when in the day a company is used."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, as_json_list, only_where, ratio, shares
from ml.analysis.cube import UsageCube
from ml.analysis.seasonality import confidence, seasonal_strength, split_half_reliability

__all__ = ["PEAK_SHARE", "QUIET_LEVEL", "hourly_patterns", "peak_hours"]

PEAK_SHARE = 0.2
QUIET_LEVEL = 0.25

Patterns = tuple[list[dict[str, Any]], Floats]


def hourly_patterns(cube: UsageCube, peak_share: float = PEAK_SHARE) -> Patterns:
    """Pattern dicts and confidence [c], with the keys:

    - `distribution`: 24 shares of the calls, summing to 1; None without calls
    - `peak_hours`: see `peak_hours`; `peak_share`: share of the calls that fall into them
    - `quiet_hours`: hours with less than a quarter of an even share (1/24) of the calls that are no peak
    - `after_hours_ratio`: after-hours calls / all calls, 0..1; None without calls
    - `pattern_strength`: strength of seasonality over the day x hour matrix; None under two days
    - `successful_bookings`, `failed_bookings` (counts), `most_failed_hour` (None without failures)
    """
    calls, after = cube.calls.sum(axis=1), cube.after_hours.sum(axis=(1, 2))
    distribution = shares(calls)
    total = calls.sum(axis=1)
    is_peak = peak_hours(calls, peak_share)
    peak_traffic = np.where(is_peak, distribution, 0).sum(axis=1)
    failed, successful = cube.failed.sum(axis=1), cube.successful.sum(axis=(1, 2))
    keys = (
        "distribution", "peak_hours", "peak_share", "quiet_hours", "after_hours_ratio", "pattern_strength",
        "successful_bookings", "failed_bookings", "most_failed_hour", "reason",
    )  # fmt: skip
    columns = (
        only_where(total > 0, distribution),
        _hours(is_peak),
        as_json_list(peak_traffic, 4),
        _hours((distribution < QUIET_LEVEL / 24) & ~is_peak),
        as_json_list(ratio(after, total), 6),
        as_json_list(seasonal_strength(cube.calls, cube.valid), 6),
        successful.astype(int).tolist(),
        failed.sum(axis=1).astype(int).tolist(),
        only_where(failed.sum(axis=1) > 0, failed.argmax(axis=1)),
        _reasons(total, cube.lengths),
    )
    patterns = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    return patterns, confidence(cube.lengths, split_half_reliability(cube.calls, cube.valid))


def peak_hours(calls: Floats, share: float = PEAK_SHARE) -> Bools:
    """Mask [c, 24] of the busiest `share` of the 24 hours: 0.2 marks 5 of them, only hours with calls.

    The requirement says "top 20% of traffic"; it is read as the top fifth of the hours, ranked by calls, the
    earlier hour first among equals. Raises ValueError for a share outside 0..1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"peak share is {share}; give a share of the hours above 0 and up to 1.")
    count = math.ceil(round(share * 24, 9))
    order = np.argsort(-calls, axis=1, kind="stable")[:, :count]
    marked = np.zeros(calls.shape, dtype=bool)
    np.put_along_axis(marked, order, True, axis=1)
    return marked & (calls > 0)


def _hours(mask: Bools) -> list[list[int]]:
    rows, hours = np.nonzero(mask)
    ends = np.searchsorted(rows, np.arange(len(mask)), side="right").tolist()
    flat = hours.tolist()
    return [flat[start:end] for start, end in pairwise([0, *ends])]


def _reasons(total: Floats, days: Ints) -> list[str | None]:
    return [
        "no_calls" if not calls else "fewer_than_2_days" if count < 2 else None
        for calls, count in zip(total.tolist(), days.tolist(), strict=True)
    ]
