"""Sparse hourly rows as dense arrays over company, day of its window and hour: all companies at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Bools, Floats, Ints
from ml.analysis.windows import Windows, read_windows, require_columns

__all__ = ["HOURLY_COLUMNS", "UsageCube", "usage_cube"]

MEASURES = {
    "calls": "total_calls",
    "seconds": "total_seconds",
    "after_hours": "after_hours_calls",
    "successful": "successful_bookings",
    "failed": "failed_bookings",
}
HOURLY_COLUMNS = ("company_id", "usage_date", "local_hour", *MEASURES.values())


@dataclass(frozen=True, slots=True)
class UsageCube:
    """Hourly usage of c companies over d days, d being the longest window.

    Day 0 is the first day of the company's *own* window: companies that joined years apart share one small
    array. All measures are [c, d, 24] and zero where `valid` [c, d] is False.
    """

    windows: Windows
    calls: Floats
    seconds: Floats
    after_hours: Floats
    successful: Floats
    failed: Floats

    @property
    def company_ids(self) -> Ints:
        """Companies [c] in the order of the windows frame."""
        return self.windows.company_ids

    @property
    def starts(self) -> npt.NDArray[np.datetime64]:
        """First date of each company's window [c]."""
        return self.windows.starts

    @property
    def lengths(self) -> Ints:
        """Days in each company's window [c]."""
        return self.windows.lengths

    @property
    def valid(self) -> Bools:
        """Mask [c, d] of days inside each company's window."""
        return self.windows.valid

    @property
    def weekdays(self) -> Ints:
        """Weekday [c, d], 0 = Monday."""
        return self.windows.weekdays


def usage_cube(hourly: pd.DataFrame, windows: pd.DataFrame) -> UsageCube:
    """Spread hourly rows over the companies of `windows`; rows outside a company's window don't count.

    Rows of one company, date and hour are summed. Raises ValueError for missing columns (naming all of them),
    an hour outside 0..23, a missing date, and a missing, negative or infinite quantity.
    """
    require_columns(hourly, "hourly", HOURLY_COLUMNS)
    frame = read_windows(windows)
    hours = hourly["local_hour"].to_numpy(dtype=np.float64)
    if not (hours.min(initial=0) >= 0 and hours.max(initial=0) <= 23):
        raise ValueError("hourly has a local_hour outside 0..23; use the hour of the company's local day.")
    if hourly["usage_date"].hasnans:
        raise ValueError("hourly has a missing usage_date; say on which local date each row fell.")
    rows, days, inside = frame.locate(hourly["company_id"], hourly["usage_date"])
    shape = (len(frame.company_ids), frame.days, 24)
    counted = slice(None) if inside.all() else inside
    cells = ((rows * frame.days + days) * 24 + hours.astype(np.int64))[counted]
    measures = {name: _spread(hourly, column, counted, cells, shape) for name, column in MEASURES.items()}
    return UsageCube(windows=frame, **measures)


def _spread(
    hourly: pd.DataFrame,
    column: str,
    counted: Bools | slice,
    cells: Ints,
    shape: tuple[int, int, int],
) -> Floats:
    values = hourly[column].to_numpy(dtype=np.float64)
    if not (values.min(initial=0) >= 0 and values.max(initial=0) < np.inf):
        raise ValueError(f"hourly has a missing, negative or infinite {column}; usage is zero or more.")
    flat = np.bincount(cells, weights=values[counted], minlength=int(np.prod(shape)))
    return flat.astype(np.float64, copy=False).reshape(shape)
