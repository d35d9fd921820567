"""The efficiency score: how much of the demand a company turns into bookings, and how evenly it uses its hours."""

import numpy as np

from ml.analysis.arrays import Floats, ratio
from ml.analysis.cube import UsageCube
from ml.analysis.definitions import DEFAULT_THRESHOLDS, Thresholds

__all__ = ["efficiency_score", "load_factor"]


def efficiency_score(cube: UsageCube, thresholds: Thresholds = DEFAULT_THRESHOLDS) -> Floats:
    """0..100 [c]: 100 x (w x booking success + (1 - w) x load factor), with w = `efficiency_booking_weight`.

    Booking success = successful / (successful + failed) bookings; calls whose outcome is not known don't count.
    NaN under `efficiency_min_outcomes` known outcomes, where a single one would move the score by points.
    """
    successful, failed = cube.successful.sum(axis=(1, 2)), cube.failed.sum(axis=(1, 2))
    known, weight = successful + failed, thresholds.efficiency_booking_weight
    score = 100 * (weight * ratio(successful, known) + (1 - weight) * load_factor(cube.calls.sum(axis=1)))
    return np.where(known >= thresholds.efficiency_min_outcomes, score, np.nan)


def load_factor(calls: Floats) -> Floats:
    """Mean / peak of `calls` [c, 24] over the hours that have any [c], 0..1; NaN without calls.

    The load factor of electricity supply: what is held ready for the peak stands idle for the rest of the time.
    """
    mean = ratio(calls.sum(axis=1), (calls > 0).sum(axis=1))
    return ratio(mean, calls.max(axis=1))
