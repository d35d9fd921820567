"""What a forecast must beat: simple rules that anybody could apply."""

from collections.abc import Callable, Mapping

import numpy as np

from ml.analysis.arrays import Floats, ratio
from ml.analysis.forecasting.history import WEEK, History, future_slots, past_slots

__all__ = ["BASELINES", "linear_regression", "run_rate", "same_weekdays", "seasonal_naive"]

WEEKS = 4


def seasonal_naive(history: History, horizon: int) -> Floats:
    """The last week again and again [s, horizon]."""
    return _same_weekdays(history, horizon, 1)


def same_weekdays(history: History, horizon: int) -> Floats:
    """Mean of the last four same weekdays [s, horizon]."""
    return _same_weekdays(history, horizon, WEEKS)


def run_rate(history: History, horizon: int) -> Floats:
    """Mean day of the history, every day [s, horizon]."""
    mean = ratio(history.quantity.sum(axis=1), history.lengths, otherwise=0)
    return np.repeat(mean[:, None], horizon, axis=1)


def linear_regression(history: History, horizon: int) -> Floats:
    """The straight line through the days of the history (least squares), never below zero [s, horizon]."""
    time, weight = np.arange(-history.days, 0.0), history.observed.astype(np.float64)
    count = weight.sum(axis=1)
    middle = ratio(weight @ time, count, otherwise=0)[:, None]
    mean = ratio((weight * history.quantity).sum(axis=1), count, otherwise=0)[:, None]
    spread = (weight * (time - middle) ** 2).sum(axis=1)
    slope = ratio((weight * (time - middle) * (history.quantity - mean)).sum(axis=1), spread, otherwise=0)[:, None]
    return np.maximum(mean + slope * (np.arange(horizon) - middle), 0)


def _same_weekdays(history: History, horizon: int, weeks: int) -> Floats:
    last = history.last(weeks * WEEK)
    slots = np.eye(WEEK)[past_slots(last.days)]
    count = last.observed.astype(np.float64) @ slots
    mean = ratio(last.quantity @ slots, count)
    known = np.where(np.isnan(mean), run_rate(last, WEEK), mean)
    return np.asarray(known[:, future_slots(horizon)])


BASELINES: Mapping[str, Callable[[History, int], Floats]] = {
    "seasonal_naive": seasonal_naive,
    "last_four_same_weekdays": same_weekdays,
    "run_rate": run_rate,
    "linear_regression": linear_regression,
}
