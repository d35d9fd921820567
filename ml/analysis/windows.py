"""Half-open company windows as arrays: where a row of usage falls, or that it falls outside."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Bools, Ints

__all__ = ["Windows", "read_windows", "require_columns", "weekday_of"]

Dates = npt.NDArray[np.datetime64]


def require_columns(frame: pd.DataFrame, name: str, columns: Iterable[str]) -> None:
    """Raise a ValueError that names every one of `columns` that the frame called `name` lacks."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{name} lacks the columns {', '.join(missing)}; add them to the frame.")


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of c companies: `company_ids` [c], `starts` [c] (dates), `lengths` [c] (days, 1 or more)."""

    company_ids: Ints
    starts: Dates
    lengths: Ints

    @property
    def days(self) -> int:
        """Length of the longest window, 0 without companies."""
        return int(self.lengths.max(initial=0))

    @property
    def ends(self) -> Dates:
        """First day after each window [c]."""
        return self.starts + self.lengths

    @property
    def valid(self) -> Bools:
        """Mask [c, d] of the days that lie inside each company's own window."""
        return np.arange(self.days) < self.lengths[:, None]

    @property
    def weekdays(self) -> Ints:
        """Weekday [c, d] of each day of the window, 0 = Monday."""
        first = weekday_of(self.starts)
        return (first[:, None] + np.arange(self.days)) % 7

    def locate(self, company_ids: pd.Series, dates: pd.Series) -> tuple[Ints, Ints, Bools]:
        """Company row, day of the window and whether the usage row lies inside a window, each [rows].

        Row and day mean nothing where the usage row lies inside none.
        """
        rows = pd.Index(self.company_ids).get_indexer(pd.Index(company_ids)).astype(np.int64)
        if not len(self.company_ids):
            return rows, rows, rows >= 0
        days = (as_dates(dates) - self.starts[rows]).astype(np.int64)
        return rows, days, (rows >= 0) & (days >= 0) & (days < self.lengths[rows])


def read_windows(windows: pd.DataFrame) -> Windows:
    """Check and convert a frame (company_id, window_start, window_end); [start, end) is half-open.

    Raises ValueError for missing columns, a company that has two windows, or a window without a day.
    """
    require_columns(windows, "windows", ("company_id", "window_start", "window_end"))
    ids = windows["company_id"].to_numpy(dtype=np.int64)
    starts, ends = as_dates(windows["window_start"]), as_dates(windows["window_end"])
    twice = windows.loc[windows["company_id"].duplicated(), "company_id"].tolist()
    if twice:
        raise ValueError(f"windows repeats the companies {twice[:10]}; keep one window each.")
    lengths = (ends - starts).astype(np.int64)
    if (lengths < 1).any():
        empty = ids[lengths < 1][:10].tolist()
        raise ValueError(f"windows has no day for the companies {empty}; let the end follow the start.")
    return Windows(ids, starts, lengths)


def as_dates(column: "pd.Series[pd.Timestamp]") -> Dates:
    """A column of calendar dates as datetime64[D]."""
    return pd.to_datetime(column).to_numpy().astype("datetime64[D]")


def weekday_of(dates: Dates) -> Ints:
    """Weekday of each date, 0 = Monday; 1970-01-01 was a Thursday."""
    return (dates.astype(np.int64) + 3) % 7
