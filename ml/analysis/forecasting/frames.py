"""Long frames of daily usage as histories, one per meter."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ml.analysis.arrays import Bools, Ints
from ml.analysis.forecasting.history import History
from ml.analysis.windows import Windows, as_dates, read_windows, require_columns

__all__ = ["METER_COLUMNS", "histories_of"]

METER_COLUMNS = ("company_id", "meter", "usage_date", "quantity")
LONG_AGO = 1_000_000
HORIZON_OF_CALENDARS = 70
"""Days ahead for which holidays are looked up: beyond the end of any next billing period."""


def histories_of(
    meter_daily: pd.DataFrame,
    windows: pd.DataFrame,
    holidays: pd.DataFrame | None = None,
    complete: pd.DataFrame | None = None,
    meters: Iterable[str] = (),
) -> dict[str, History]:
    """Every meter's history [companies of `windows`, days of the longest], rows in the order of `windows`.

    `meter_daily`: company_id, meter, usage_date, quantity; a day without a row is a day without usage if it is among
    the `complete` ones (company_id, usage_date; None: all of the window), and says nothing otherwise. `windows`:
    company_id, window_start, window_end (half-open) and, where known, activated_on. `holidays`: company_id,
    holiday_date. Rows outside of a window don't count. `meters` have a history even where nobody uses them.
    Raises ValueError for missing columns or a missing, infinite or negative quantity.
    """
    require_columns(meter_daily, "meter_daily", METER_COLUMNS)
    quantity = meter_daily["quantity"].to_numpy(dtype=np.float64)
    if not ((quantity >= 0) & np.isfinite(quantity)).all():
        raise ValueError("meter_daily has a missing, infinite or negative quantity; usage is zero or more.")
    frame = read_windows(windows)
    observed = frame.valid[:, ::-1]
    if complete is not None:
        rows, columns, _ = _places(frame, complete["company_id"], complete["usage_date"])
        seen = np.zeros_like(observed)
        seen[rows, columns] = True
        observed = observed & seen
    special = None if holidays is None else _special(holidays, frame)
    ages = _ages(windows, frame) if "activated_on" in windows else None
    names = pd.Index(sorted({*meter_daily["meter"].unique(), *meters}), dtype=object)
    rows, columns, inside = _places(frame, meter_daily["company_id"], meter_daily["usage_date"])
    codes = names.get_indexer(pd.Index(meter_daily["meter"], dtype=object))[inside]
    shape = (len(names), len(frame.lengths), frame.days)
    cells = (codes * shape[1] + rows) * shape[2] + columns
    cube = np.bincount(cells, weights=quantity[inside], minlength=int(np.prod(shape))).reshape(shape) * observed
    return {str(name): History(cube[code], observed, frame.ends, special, ages) for code, name in enumerate(names)}


def _places(windows: Windows, company_ids: pd.Series, dates: pd.Series) -> tuple[Ints, Ints, Bools]:
    """Row and right-aligned column of what lies inside a window, and which rows of the frame that is."""
    rows, days, inside = windows.locate(company_ids, dates)
    rows, days = rows[inside], days[inside]
    return rows, windows.days - windows.lengths[rows] + days, inside


def _ages(windows: pd.DataFrame, frame: Windows) -> Ints:
    """Days since the activation; very many where it is not known."""
    since = frame.ends - as_dates(windows["activated_on"])
    return np.where(np.isnat(since), LONG_AGO, since.astype(np.int64))


def _special(holidays: pd.DataFrame, windows: Windows) -> Bools:
    rows = pd.Index(windows.company_ids).get_indexer(pd.Index(holidays["company_id"]))
    known = rows >= 0
    ahead = (as_dates(holidays["holiday_date"])[known] - windows.ends[rows[known]]).astype(np.int64)
    days = windows.days + HORIZON_OF_CALENDARS
    column = ahead + windows.days
    inside = (column >= 0) & (column < days)
    special = np.zeros((len(windows.company_ids), days), dtype=bool)
    special[rows[known][inside], column[inside]] = True
    return special
