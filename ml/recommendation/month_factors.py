"""How a year spreads over its months, from what a company used before."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import numpy as np

from ml.analysis.seasonality import mean_profile
from ml.rating.spans import next_period

__all__ = ["month_factors"]


def month_factors(minutes: Mapping[date, float]) -> tuple[Decimal, ...] | None:
    """The share of an average month that each calendar month has, January first; None without twelve months in a row.

    `minutes` are those of whole months, by their first days. Counted back from the last one, years are made comparable
    by their own mean, so that growth from year to year is no season; then the mean of each month over the years. Growth
    within a year can't be told from a season while there is only one.
    """
    months = _in_a_row(minutes)
    years = len(months) // 12
    if not years:
        return None
    kept = months[-12 * years :]
    used = np.array([minutes[month] for month in kept], dtype=np.float64).reshape(1, years, 12)
    level = used.mean(axis=2, keepdims=True)
    valid = level[:, :, 0] > 0
    if not valid.any():
        return None
    profile = mean_profile(used / np.where(level > 0, level, 1), valid)[0]
    by_month = dict(zip((month.month for month in kept[:12]), profile, strict=True))
    return tuple(Decimal(f"{by_month[month]:.4f}") for month in range(1, 13))


def _in_a_row(minutes: Mapping[date, float]) -> list[date]:
    """The months up to the last one without a hole."""
    row: list[date] = []
    for month in sorted(minutes, reverse=True):
        if row and next_period(month) != row[-1]:
            break
        row.append(month)
    return row[::-1]
