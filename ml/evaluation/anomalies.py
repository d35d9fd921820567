"""How often anomalies are found, and how often one is seen where there is none."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.analysis.anomalies import MIN_HISTORY_DAYS, judge_days
from ml.analysis.meter_days import MeterDays, meter_days
from ml.analysis.weekly import weekday_means

__all__ = ["HISTORY_DAYS", "DetectionRates", "measure_detection"]

HISTORY_DAYS = 28
"""Days before the judged one that the pipeline reads."""
BURST = 3.0
CLEAR_EVENTS = 10.0
"""Mean number of events on a weekday from which on usage is clearly expected."""


@dataclass(frozen=True, slots=True)
class DetectionRates:
    """Counts, and shares 0..1 that are NaN where nothing counts.

    A *company-day* is a company on a day after its first 14; all of them count in `company_days`, in `false_alarms`
    (an anomaly of any meter on the day as it was) and in `without_outage`: no meter expects enough for a day at zero
    to be an outage. `clear_company_days` is the share on which usage is clearly expected: a meter brings at least
    `CLEAR_EVENTS` events on such a weekday, on average over the whole series. Of these, `outages_found` when all
    meters are at zero, `bursts_found` when all bring three times their weekday's mean, and `tripled_found` when all
    bring three times what they brought. `outages_found_of_all` counts every company-day with usage.
    """

    company_days: int
    false_alarms: float
    without_outage: float
    clear_company_days: float
    outages_found: float
    bursts_found: float
    tripled_found: float
    outages_found_of_all: float


def measure_detection(
    meter_daily: pd.DataFrame, windows: pd.DataFrame, holidays: pd.DataFrame | None = None
) -> DetectionRates:
    """Judge every day after the first 14 of each company as it was, and as an outage and a burst would have made it.

    `meter_daily` and `holidays` as in `judge_days`; `windows` is the whole time in which a company was observed, and
    each day is judged by the 28 days before it within that time.
    """
    dense = _dense(meter_days(meter_daily, windows))
    days = np.unique(dense["usage_date"].to_numpy())[MIN_HISTORY_DAYS:]
    counted = pd.concat([_measure(dense, windows, pd.Timestamp(day), holidays) for day in days])
    clear = counted["clear"]
    return DetectionRates(
        company_days=len(counted),
        false_alarms=float(counted["alarm"].mean()),
        without_outage=float(1 - counted["can_fall_out"].mean()),
        clear_company_days=float(clear.mean()),
        outages_found=float(counted.loc[clear, "outage"].mean()),
        bursts_found=float(counted.loc[clear, "burst"].mean()),
        tripled_found=float(counted.loc[clear, "tripled"].mean()),
        outages_found_of_all=float(counted.loc[counted["used"], "outage"].mean()),
    )


def _dense(usage: MeterDays) -> pd.DataFrame:
    """A row for every company, meter and day of its window, by date, with the weekday's mean as `usual`."""
    frame, (companies, meters, length) = usage.windows, usage.quantity.shape
    means = [weekday_means(usage.quantity[:, meter], frame.weekdays, frame.valid) for meter in range(meters)]
    usual = np.take_along_axis(np.stack(means, axis=1), frame.weekdays[:, None, :], axis=2)
    dates = frame.starts[:, None, None] + np.broadcast_to(np.arange(length), usual.shape)
    dense = pd.DataFrame(
        {
            "company_id": np.repeat(frame.company_ids, meters * length),
            "meter": np.tile(np.repeat(np.array(usage.meters, dtype=object), length), companies),
            "usage_date": dates.ravel().astype("datetime64[s]"),
            "quantity": usage.quantity.ravel(),
            "count_events": (usage.quantity / usage.event_size[:, :, None]).ravel(),
            "usual": usual.ravel(),
            "event_size": np.repeat(usage.event_size.ravel(), length),
        }
    )
    inside = np.broadcast_to(frame.valid[:, None, :], usual.shape).ravel()
    return dense[inside].sort_values("usage_date", kind="stable", ignore_index=True)


def _measure(
    dense: pd.DataFrame, windows: pd.DataFrame, day: pd.Timestamp, holidays: pd.DataFrame | None
) -> pd.DataFrame:
    """One row per company with 14 days before `day`: what is true of the day, and what was said about it."""
    first, dates = day - pd.Timedelta(days=HISTORY_DAYS), dense["usage_date"]
    low, high = dates.searchsorted(first), dates.searchsorted(day, side="right")
    past = dense.iloc[low:high]
    starts, ends = pd.to_datetime(windows["window_start"]), pd.to_datetime(windows["window_end"])
    chosen = (starts + pd.Timedelta(days=MIN_HISTORY_DAYS) <= day) & (ends > day)
    asked = windows[["company_id"]].assign(
        window_start=starts.where(starts > first, first), window_end=day + pd.Timedelta(days=1)
    )[chosen]
    is_today = (past["usage_date"] == day).to_numpy()
    was, usual = past["quantity"].to_numpy(), past["usual"].to_numpy()
    clean, gone, burst, tripled = (
        judge_days(past.assign(quantity=np.where(is_today, today, was)), asked, holidays)
        for today in (was, 0 * was, BURST * usual, BURST * was)
    )
    today = past[is_today].assign(clear=lambda rows: rows["usual"] / rows["event_size"] >= CLEAR_EVENTS)
    is_clear = today.groupby("company_id")["clear"].any().reindex(asked["company_id"], fill_value=False)
    return pd.DataFrame(
        {
            "alarm": (clean.kind != "").any(axis=1),
            "can_fall_out": clean.can_fall_out.any(axis=1),
            "clear": is_clear.to_numpy(),
            "used": (clean.quantity > 0).any(axis=1),
            "outage": (gone.kind == "outage").any(axis=1),
            "burst": (burst.kind == "burst").any(axis=1),
            "tripled": (tripled.kind == "burst").any(axis=1),
        }
    )
