"""Models for all kinds of series: one per segment and length of history, and forecasts by the one that fits."""

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Floats, Ints, ratio
from ml.analysis.forecasting.forecast import Forecast
from ml.analysis.forecasting.history import History
from ml.analysis.forecasting.learning import HISTORY_DAYS, ForecastModel, learn

__all__ = [
    "SEGMENTS",
    "ForecastModels",
    "Kind",
    "forecast_groups",
    "kinds_of",
    "learn_models",
    "segments_of",
    "total_paths",
]

SEGMENTS = ("regular", "intermittent")
REGULAR_SHARE = 0.5
"""Share of the observed days with usage from which on a series is regular: an office is closed on two of seven days."""
PRESENT_SHARE = 0.9
"""Share of a length of history that must have been observed: a day whose usage is late makes nobody younger."""
CHUNK = 500
"""Series whose paths are held at once."""

Kind = tuple[str, int]
"""Segment and length of history in days."""
ForecastModels = Mapping[Kind, ForecastModel]
"""The model of each segment and length of history; every kind that a series can be of is there."""


def segments_of(history: History) -> npt.NDArray[np.str_]:
    """Segment [s] of each series: `regular` or `intermittent`."""
    used = ratio((history.quantity > 0).sum(axis=1), history.lengths, otherwise=0)
    return np.where(used >= REGULAR_SHARE, *SEGMENTS)


def learn_models(
    history: History, horizon: int, lengths: tuple[int, ...] = HISTORY_DAYS, seed: int = 0, *, compete: bool = True
) -> ForecastModels:
    """Learn from the whole past of all series, each segment from its own; one without any takes the other's."""
    segments = segments_of(history)
    found = {
        (segment, days): learn(history.rows(np.flatnonzero(segments == segment)), days, horizon, seed, compete=compete)
        for segment in SEGMENTS
        for days in lengths
        if (segments == segment).any() or (segment == SEGMENTS[0] and not len(segments))
    }
    known = next(iter(found))[0]
    return {(segment, days): found.get((segment, days), found[known, days]) for segment in SEGMENTS for days in lengths}


def kinds_of(history: History, lengths: Collection[int]) -> Iterator[tuple[Ints, Kind]]:
    """Rows [r] of the series of one kind, and that kind; all series come once.

    A series has the longest of the `lengths` of which nine tenths were observed within the longest.
    """
    ordered = sorted(lengths)
    longest = history.last(ordered[-1])
    segments, observed = segments_of(longest), longest.lengths
    for segment in SEGMENTS:
        for days, above in pairwise([*ordered, np.iinfo(np.int64).max]):
            least = days if days > ordered[0] else 0
            fitting = (observed >= PRESENT_SHARE * least) & (observed < PRESENT_SHARE * above)
            rows = np.flatnonzero((segments == segment) & fitting)
            if len(rows):
                yield rows, (segment, days)


def forecast_groups(models: ForecastModels, history: History, horizon: int) -> Iterator[tuple[Ints, Kind, Forecast]]:
    """Rows [r] of the series of one kind, that kind, and their forecast; all series come once.

    A series is forecast by the model of its kind, from all of its days that lie within the longest. One without usage
    gives zeros.
    """
    lengths = {days for _, days in models}
    longest = history.last(max(lengths))
    for rows, kind in kinds_of(longest, lengths):
        yield rows, kind, models[kind].forecast(longest.rows(rows), horizon)


def total_paths(models: ForecastModels, history: History, horizon: int, paths: int, seed: int = 0) -> Floats:
    """Totals [s, p] of every series over the horizon, on so many scenarios; the same seed gives the same ones."""
    totals = np.zeros((len(history.quantity), paths))
    for rows, _, forecast in forecast_groups(models, history, horizon):
        for start in range(0, len(rows), CHUNK):
            chunk = np.arange(start, min(start + CHUNK, len(rows)))
            totals[rows[chunk]] = forecast.rows(chunk).paths(paths, seed).sum(axis=2)
    return totals
