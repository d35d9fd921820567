"""Usage of the coming month as scenario paths: what a plan would cost is asked of each of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Floats, Ints, ratio
from ml.analysis.forecasting.models import ForecastModels, learn_models, total_paths
from ml.analysis.meter_days import histories_of
from ml.analysis.windows import read_windows

__all__ = ["PARTS", "PROJECTED_METERS", "Projection", "keep_sums", "project_usage"]

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
    models: Mapping[str, ForecastModels] | None = None,
    holidays: pd.DataFrame | None = None,
    complete: pd.DataFrame | None = None,
    meters: Iterable[str] = (),
) -> Projection:
    """Totals of every meter over the `horizon_days` after each company's window, on `paths` scenarios.

    Forecasts by `models` per meter; those not given are learned from the frame itself, so that a company's
    projection then depends on who else is in it. On a path all meters have errors of the same rank, so what is used
    together is off together. Only `complete` days count (see `histories_of`). Never below zero; no
    history gives zeros, and so do `meters` that nobody in the frame uses. The same seed gives the same paths.
    Raises ValueError for missing columns, a missing or negative quantity, or fewer than one day or path.
    """
    if horizon_days < 1 or paths < 1:
        raise ValueError(f"projection over {horizon_days} days and {paths} paths; both must be 1 or more.")
    frame, histories = read_windows(windows), histories_of(meter_daily, windows, holidays, complete, meters)
    monthly = np.zeros((len(frame.company_ids), len(histories), paths))
    for column, (meter, history) in enumerate(histories.items()):
        known = (models or {}).get(meter) or learn_models(history, horizon_days, compete=False)
        monthly[:, column] = total_paths(known, history, horizon_days, paths, seed)
    keep_sums(monthly, tuple(histories), parts)
    return Projection(frame.company_ids, tuple(histories), frame.ends, horizon_days, monthly)


def keep_sums(monthly: Floats, meters: tuple[str, ...], parts: Mapping[str, tuple[str, ...]]) -> None:
    """Scale, in place, the parts [c, m, p] of a meter so that they add up to it on every path."""
    for whole, names in parts.items():
        if whole not in meters or not set(names) <= set(meters):
            continue
        columns = [meters.index(name) for name in names]
        total, added = monthly[:, meters.index(whole)], monthly[:, columns].sum(axis=1)
        monthly[:, columns] *= ratio(total, added, otherwise=1)[:, None]
