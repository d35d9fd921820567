"""Whether and when a period's usage will reach a limit, by scenario."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Floats, Ints, ratio

__all__ = ["Reach", "reach_limits"]


@dataclass(frozen=True, slots=True)
class Reach:
    """What s series with a limit are heading for until their period ends, each [s].

    `expected`: usage of the whole period. `utilisation`: that as a share of the limit, 1 = all of it; NaN for a limit
    of zero. `probability` of reaching the limit before the period ends, 1 once it is reached. `date`: the middle one
    of the dates on which it is reached, over the scenarios that reach it; NaT where none does or it is reached already.
    """

    expected: Floats
    utilisation: Floats
    probability: Floats
    date: npt.NDArray[np.datetime64]


def reach_limits(
    used: Floats, limit: Floats, paths: Floats, starts: npt.NDArray[np.datetime64], days_left: Ints
) -> Reach:
    """Follow daily scenarios from what has been used.

    Args:
        used: usage of the period so far [s], in the meter's unit.
        limit: what must not be passed [s]; it is reached when usage equals it.
        paths: usage of each day ahead [s, p, h].
        starts: the first day ahead [s].
        days_left: days from it to the period's end [s], 0 to h.

    Raises:
        ValueError: when a period ends after the days ahead.
    """
    horizon = paths.shape[2]
    if (days_left > horizon).any() or (days_left < 0).any():
        raise ValueError(f"periods with {int(days_left.max())} days left; the scenarios have {horizon} days ahead.")
    within = np.arange(horizon) < days_left[:, None]
    total = used[:, None, None] + np.cumsum(paths * within[:, None], axis=2)
    reached = (total >= limit[:, None, None]) & within[:, None]
    already, ends = used >= limit, reached.any(axis=2)
    expected = used + (paths * within[:, None]).sum(axis=2).mean(axis=1)
    first = np.where(ends, reached.argmax(axis=2), horizon).astype(np.int64)
    count = ends.sum(axis=1)
    middle = np.sort(first, axis=1)[np.arange(len(used)), np.maximum(count - 1, 0) // 2]
    known = (count > 0) & ~already
    dates = np.where(known, starts.astype("datetime64[D]") + middle, np.datetime64("NaT", "D"))
    return Reach(expected, ratio(expected, limit), np.where(already, 1.0, ends.mean(axis=1)), dates)
