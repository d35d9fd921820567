"""Usage of the coming month as scenario paths: what a plan would cost is asked of each of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Floats, Ints, ratio
from ml.analysis.level import Fit, fit_levels
from ml.analysis.resampling import day_draws
from ml.analysis.windows import Windows, read_windows, require_columns

__all__ = ["METER_COLUMNS", "PARTS", "PROJECTED_METERS", "Projection", "project_usage", "run_rate"]

METER_COLUMNS = ("company_id", "meter", "usage_date", "quantity")
PROJECTED_METERS = (
    "calls",
    "call_seconds",
    "business_hours_call_seconds",
    "after_hours_call_seconds",
    "appointments",
)
"""The meters whose usage is projected; a plan that charges others can't be compared by these paths."""
PARTS = {"call_seconds": ("business_hours_call_seconds", "after_hours_call_seconds")}
"""Meters that are the sum of others, on every path too."""


@dataclass(frozen=True, slots=True)
class Projection:
    """Scenario totals of c companies and m meters over `horizon_days` from `start` [c] (= window_end) on.

    `monthly` is [c, m, p] in the meters' own units (seconds, counts). A path is one joint scenario of all the
    meters of a company; paths of different companies are not joint and must not be added up.
    """

    company_ids: Ints
    meters: tuple[str, ...]
    start: npt.NDArray[np.datetime64]
    horizon_days: int
    monthly: Floats

    def expected(self) -> Floats:
        """Mean total per company and meter [c, m]."""
        mean: Floats = self.monthly.mean(axis=2)
        return mean

    def usage(self, row: int) -> dict[str, Floats]:
        """The paths [p] of every meter of the company in this row."""
        return {meter: self.monthly[row, column] for column, meter in enumerate(self.meters)}

    def summary(self) -> pd.DataFrame:
        """One row per company and meter: company_id, meter, start_date, horizon_days, expected, p10, p50, p90."""
        low, middle, high = np.quantile(self.monthly, (0.1, 0.5, 0.9), axis=2)
        count = len(self.meters)
        return pd.DataFrame(
            {
                "company_id": np.repeat(self.company_ids, count),
                "meter": np.tile(np.array(self.meters, dtype=object), len(self.company_ids)),
                "start_date": np.repeat(self.start, count).astype("datetime64[s]"),
                "horizon_days": self.horizon_days,
                "expected": self.expected().ravel(),
                "p10": low.ravel(),
                "p50": middle.ravel(),
                "p90": high.ravel(),
            }
        )


def project_usage(
    meter_daily: pd.DataFrame,
    windows: pd.DataFrame,
    horizon_days: int = 30,
    paths: int = 500,
    seed: int = 0,
    parts: Mapping[str, tuple[str, ...]] = PARTS,
) -> Projection:
    """Totals of every meter over the `horizon_days` after each company's window, on `paths` scenarios.

    Smoothed level x weekday profile (`level.fit_levels`) plus whole days resampled from the residuals, the same
    days for all meters of a company (`resampling.day_draws`), never below zero. Works from one day of history
    on; no history gives zeros. No trend is carried forward. Draws depend on the seed and the window's length
    only, so a company's draws do not depend on who else is in the frame; its pooled profile does.
    Raises ValueError for missing columns, a missing or negative quantity, or fewer than one day or path.
    """
    if horizon_days < 1 or paths < 1:
        raise ValueError(f"projection over {horizon_days} days and {paths} paths; both must be 1 or more.")
    frame = read_windows(windows)
    meters, daily = _daily_cube(meter_daily, frame)
    fit = fit_levels(daily, frame, horizon_days)
    monthly = np.zeros((len(frame.company_ids), len(meters), paths))
    for length in np.unique(frame.lengths).tolist():
        chosen = frame.lengths == length
        monthly[chosen] = _scenarios(fit, chosen, length, horizon_days, paths, seed)
    _keep_sums(monthly, meters, parts)
    return Projection(frame.company_ids, meters, frame.ends, horizon_days, monthly)


def run_rate(usage: float, elapsed_days: float, days_in_period: float) -> float:
    """Usage of the whole period if it goes on as so far: usage x days_in_period / elapsed_days.

    Raises ValueError unless 0 < elapsed_days <= days_in_period.
    """
    if not 0 < elapsed_days <= days_in_period:
        raise ValueError(f"{elapsed_days} days elapsed of {days_in_period}; give more than 0 and at most all of them.")
    return usage * days_in_period / elapsed_days


def _daily_cube(meter_daily: pd.DataFrame, windows: Windows) -> tuple[tuple[str, ...], Floats]:
    require_columns(meter_daily, "meter_daily", METER_COLUMNS)
    quantity = meter_daily["quantity"].to_numpy(dtype=np.float64)
    if not (quantity >= 0).all():
        raise ValueError("meter_daily has a missing or negative quantity; usage is zero or more.")
    codes, names = pd.factorize(meter_daily["meter"], sort=True)
    rows, days, inside = windows.locate(meter_daily["company_id"], meter_daily["usage_date"])
    shape = (len(windows.company_ids), len(names), windows.days)
    cells = ((rows * shape[1] + codes) * shape[2] + days)[inside]
    flat = np.bincount(cells, weights=quantity[inside], minlength=int(np.prod(shape)))
    return tuple(str(name) for name in names), flat.astype(np.float64).reshape(shape)


def _scenarios(
    fit: Fit, chosen: npt.NDArray[np.bool_], length: int, horizon_days: int, paths: int, seed: int
) -> Floats:
    draws = day_draws(length, horizon_days, paths, seed)
    resampled = fit.residuals[chosen, :, :length] @ draws.days
    borrowed = fit.borrowed_deviation[chosen][:, :, None] * draws.shock
    total: Floats = fit.base[chosen][:, :, None] + resampled + borrowed
    return np.maximum(total, 0, out=total)


def _keep_sums(monthly: Floats, meters: tuple[str, ...], parts: Mapping[str, tuple[str, ...]]) -> None:
    for whole, names in parts.items():
        if whole not in meters or not set(names) <= set(meters):
            continue
        columns = [meters.index(name) for name in names]
        total, added = monthly[:, meters.index(whole)], monthly[:, columns].sum(axis=1)
        monthly[:, columns] *= ratio(total, added, otherwise=1)[:, None]
