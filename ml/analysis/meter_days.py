"""Sparse daily rows as a dense array over company, meter and day of its window."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.analysis.arrays import Floats, ratio
from ml.analysis.windows import Windows, read_windows, require_columns

__all__ = ["MeterDays", "meter_days"]

COLUMNS = ("company_id", "meter", "usage_date", "quantity")


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


def meter_days(meter_daily: pd.DataFrame, windows: pd.DataFrame) -> MeterDays:
    """Spread daily rows over the companies of `windows`; rows outside a company's window don't count.

    `meter_daily` has company_id, meter, usage_date, quantity, and may have count_events: how many events the quantity
    is the sum of. Rows of one company, meter and date are summed. Raises ValueError for missing columns (naming all
    of them) and for a missing or negative quantity.
    """
    require_columns(meter_daily, "meter_daily", COLUMNS)
    quantity = meter_daily["quantity"].to_numpy(dtype=np.float64)
    if not (np.isfinite(quantity) & (quantity >= 0)).all():
        raise ValueError("meter_daily has a missing, infinite or negative quantity; usage is zero or more.")
    frame = read_windows(windows)
    codes, names = pd.factorize(meter_daily["meter"], sort=True)
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
