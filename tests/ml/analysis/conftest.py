"""Factories of the shared frames, with overrides."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

START = "2024-03-04"  # a Monday


@pytest.fixture
def make_windows() -> Callable[..., pd.DataFrame]:
    def make(companies: int = 1, days: int | list[int] = 14, start: str = START) -> pd.DataFrame:
        starts = pd.Series([pd.Timestamp(start)] * companies, dtype="datetime64[s]")
        return pd.DataFrame(
            {
                "company_id": np.arange(1, companies + 1),
                "window_start": starts,
                "window_end": starts + pd.to_timedelta(np.broadcast_to(days, companies), unit="D"),
            }
        )

    return make


@pytest.fixture
def make_hourly() -> Callable[..., pd.DataFrame]:
    def make(rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Each row may give company_id, day (offset from START) and every column of the frame."""
        default = {"company_id": 1, "day": 0, "local_hour": 10, "total_calls": 1, "after_hours_calls": 0}
        default |= {"successful_bookings": 0, "failed_bookings": 0}
        full = pd.DataFrame([default | row for row in rows], columns=[*default, "total_seconds"])
        full["total_seconds"] = full["total_seconds"].astype(float).fillna(full["total_calls"] * 120)
        full["usage_date"] = pd.Timestamp(START) + pd.to_timedelta(full["day"].astype(int), unit="D")
        return full.drop(columns="day")

    return make


@pytest.fixture
def make_activity() -> Callable[..., pd.DataFrame]:
    def make(companies: int = 1, **override: float) -> pd.DataFrame:
        row = {"unique_customers": 10, "returning_customers": 5, "distinct_services": 5, "total_revenue": 0.0}
        return pd.DataFrame([{"company_id": company} | row | override for company in range(1, companies + 1)])

    return make


@pytest.fixture
def make_daily() -> Callable[..., pd.DataFrame]:
    def make(quantities: dict[str, list[float]], company_id: int = 1) -> pd.DataFrame:
        return pd.DataFrame(
            [
                {
                    "company_id": company_id,
                    "meter": meter,
                    "usage_date": pd.Timestamp(START) + pd.Timedelta(days=day),
                    "quantity": quantity,
                }
                for meter, values in quantities.items()
                for day, quantity in enumerate(values)
            ]
        )

    return make
