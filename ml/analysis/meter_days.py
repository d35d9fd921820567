"""Sparse daily rows as dense arrays: by day of each company's window, or as histories aligned at their ends."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.forecasting.history import History
from ml.analysis.windows import Windows, as_dates, read_windows, require_columns

__all__ = ["MeterDays", "histories_of", "meter_days"]

COLUMNS = ("company_id", "meter", "usage_date", "quantity")
LONG_AGO = 1_000_000
HORIZON_OF_CALENDARS = 70
"""Days ahead for which holidays are looked up: beyond the end of any next billing period."""


@dataclass(frozen=True, slots=True)
class MeterDays:
    """Daily usage of c companies and m meters over d days, d being the longest window.

    `quantity` [c, m, d] in the meters' own units, zero where there is no row; `event_size` [c, m]: mean quantity of
    one event, 1 where it is not known.
    """

    windows: Windows
    meters: tuple[str, ...]
    quantity: Floats
    event_size: Floats


def meter_days(meter_daily: pd.DataFrame, windows: pd.DataFrame, meters: Iterable[str] = ()) -> MeterDays:
    """Spread daily rows over the companies of `windows`; rows outside a company's window don't count.

    `meter_daily` has company_id, meter, usage_date, quantity, and may have count_events: how many events the quantity
    is the sum of. Rows of one company, meter and date are summed. `meters` are there even where nobody uses them.
    Raises ValueError for missing columns (naming all of them) and for a missing, infinite or negative quantity.
    """
    require_columns(meter_daily, "meter_daily", COLUMNS)
    quantity = meter_daily["quantity"].to_numpy(dtype=np.float64)
    if not (np.isfinite(quantity) & (quantity >= 0)).all():
        raise ValueError("meter_daily has a missing, infinite or negative quantity; usage is zero or more.")
    frame = read_windows(windows)
    names = pd.Index(sorted({*meter_daily["meter"].unique(), *meters}), dtype=object)
    codes = names.get_indexer(pd.Index(meter_daily["meter"], dtype=object)).astype(np.int64)
    rows, days, inside = frame.locate(meter_daily["company_id"], meter_daily["usage_date"])
    shape = (len(frame.company_ids), len(names), frame.days)
    series = (rows * shape[1] + codes)[inside]
    cells = series * shape[2] + days[inside]
    flat = np.bincount(cells, weights=quantity[inside], minlength=int(np.prod(shape))).astype(np.float64)
    size = np.ones(shape[:2])
    if "count_events" in meter_daily.columns:
        counts = meter_daily["count_events"].to_numpy(dtype=np.float64)[inside]
        events = np.bincount(series, weights=counts, minlength=shape[0] * shape[1]).reshape(shape[:2])
        total = flat.reshape(shape).sum(axis=2)
        size = ratio(total, np.where(total > 0, events, 0), otherwise=1)
    return MeterDays(frame, tuple(str(name) for name in names), flat.reshape(shape), size)


def histories_of(
    meter_daily: pd.DataFrame,
    windows: pd.DataFrame,
    holidays: pd.DataFrame | None = None,
    complete: pd.DataFrame | None = None,
    meters: Iterable[str] = (),
) -> dict[str, History]:
    """Every meter's history [companies of `windows`, days of the longest], rows in the order of `windows`.

    `meter_daily` and `meters` as in `meter_days`; a day without a row is a day without usage if it is among the
    `complete` ones (company_id, usage_date; None: all of the window), and says nothing otherwise. `windows`:
    company_id, window_start, window_end (half-open) and, where known, activated_on. `holidays`: company_id,
    holiday_date. Raises ValueError like `meter_days`.
    """
    usage = meter_days(meter_daily, windows, meters)
    frame = usage.windows
    observed = frame.valid if complete is None else frame.valid & _marked(frame, complete)
    aligned = _at_the_ends(frame)
    observed = np.take_along_axis(observed, aligned, axis=1) & frame.valid[:, ::-1]
    quantity = np.take_along_axis(usage.quantity, aligned[:, None], axis=2) * observed[:, None]
    special = None if holidays is None else _special(holidays, frame)
    ages = _ages(windows, frame) if "activated_on" in windows else None
    return {
        meter: History(np.ascontiguousarray(quantity[:, place]), observed, frame.ends, special, ages)
        for place, meter in enumerate(usage.meters)
    }


def _at_the_ends(windows: Windows) -> Ints:
    """Day of the window [c, d] in each column when windows are aligned at their ends; any day where there is none."""
    days: Ints = np.maximum(np.arange(windows.days) - (windows.days - windows.lengths[:, None]), 0)
    return days


def _marked(windows: Windows, days: pd.DataFrame) -> Bools:
    """Mask [c, d] of the days of the windows that have a row (company_id, usage_date)."""
    rows, columns, inside = windows.locate(days["company_id"], days["usage_date"])
    marked = np.zeros((len(windows.company_ids), windows.days), dtype=bool)
    marked[rows[inside], columns[inside]] = True
    return marked


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
