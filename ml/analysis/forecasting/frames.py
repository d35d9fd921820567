"""Long frames of daily usage as histories, one per meter."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ml.analysis.arrays import Bools
from ml.analysis.forecasting.history import History
from ml.analysis.windows import Windows, as_dates, read_windows, require_columns

__all__ = ["METER_COLUMNS", "histories_of"]

METER_COLUMNS = ("company_id", "meter", "usage_date", "quantity")
HORIZON_OF_CALENDARS = 70
"""Days ahead for which holidays are looked up: beyond the end of any next billing period."""


def histories_of(
    meter_daily: pd.DataFrame,
    windows: pd.DataFrame,
    holidays: pd.DataFrame | None = None,
    incomplete: pd.DataFrame | None = None,
    meters: Iterable[str] = (),
) -> dict[str, History]:
    """Every meter's history [companies of `windows`, days of the longest], rows in the order of `windows`.

    `meter_daily`: company_id, meter, usage_date, quantity; days of a window without a row are days without usage,
    except for those that are `incomplete` (company_id, usage_date), which say nothing. `windows`: company_id,
    window_start, window_end (half-open) and, where known, activated_on. `holidays`: company_id, holiday_date. Rows
    outside of a window don't count. `meters` have a history even where nobody uses them.
    Raises ValueError for missing columns or a missing or negative quantity.
    """
    require_columns(meter_daily, "meter_daily", METER_COLUMNS)
    quantity = meter_daily["quantity"].to_numpy(dtype=np.float64)
    if not (quantity >= 0).all():
        raise ValueError("meter_daily has a missing or negative quantity; usage is zero or more.")
    frame = read_windows(windows)
    observed = frame.valid[:, ::-1].copy()
    if incomplete is not None:
        rows, days, inside = frame.locate(incomplete["company_id"], incomplete["usage_date"])
        observed[rows[inside], (frame.days - frame.lengths[rows] + days)[inside]] = False
    ages = None
    if "activated_on" in windows:
        ages = (frame.ends - as_dates(windows["activated_on"])).astype(np.int64)
    special = None if holidays is None else _special(holidays, frame)
    names = pd.Index(sorted({*meter_daily["meter"].unique(), *meters}), dtype=object)
    codes = names.get_indexer(pd.Index(meter_daily["meter"], dtype=object))
    rows, days, inside = frame.locate(meter_daily["company_id"], meter_daily["usage_date"])
    columns = frame.days - frame.lengths[rows] + days
    cells = (codes * len(frame.lengths) + rows) * frame.days + columns
    shape = (len(names), len(frame.lengths), frame.days)
    cube = np.bincount(cells[inside], weights=quantity[inside], minlength=int(np.prod(shape))).reshape(shape)
    cube *= observed
    return {str(name): History(cube[code], observed, frame.ends, special, ages) for code, name in enumerate(names)}


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
