"""Days that were not as the company's own past lets expect: outages, drops and bursts, with the reason in numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.expectation import Expectation, expect_day, normal_score
from ml.analysis.meter_days import MeterDays, meter_days
from ml.analysis.windows import as_dates, require_columns, weekday_of

__all__ = ["ANOMALY_COLUMNS", "DayJudgement", "find_anomalies", "judge_days"]

MIN_HISTORY_DAYS = 14
"""Days before the judged one; with fewer nothing is said."""
MIN_ORDINARY_DAYS = 10
"""Days of them that are no public holiday."""
ANOMALY_SCORE = 2.7
"""Normal standard deviations from the expected day beyond which a day is an outage or a burst."""
DROP_SCORE = 3.4
"""The same for drops, which are seldom urgent; most false alarms would be quiet days."""
OUTAGE_SHARE = 0.1
"""An outage leaves at most this share of the expected quantity."""
DROP_SHARE = 0.5
BURST_SHARE = 2.0
"""What is less than half or more than twice the expected quantity matters; a smaller deviation is no anomaly."""
NOTICE_SCORE = 5.0
"""Drops and bursts are called a notice from this score on, below it an info; an outage is a warning."""

ANOMALY_COLUMNS = (
    "company_id", "meter", "usage_date", "kind", "severity", "quantity", "expected_quantity", "low_quantity",
    "high_quantity", "score", "reason",
)  # fmt: skip
SIZE_VARIATION = 0.4
"""Squared coefficient of variation of the size of single events (seconds of calls), where a quantity is a sum."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class DayJudgement:
    """The last day of each of c companies' windows, by m meters, all [c, m] but `is_holiday` [c].

    `kind` is "" where nothing is to be said. `is_judged`: history is long enough. `can_fall_out`: the lower bound is
    above zero, so that a day without usage is an outage; a series whose zero days are likely can't have one.
    """

    usage: MeterDays
    kind: npt.NDArray[np.object_]
    quantity: Floats
    expected: Floats
    low: Floats
    high: Floats
    score: Floats
    history_days: Ints
    is_holiday: Bools
    is_judged: Bools
    can_fall_out: Bools


def find_anomalies(
    meter_daily: pd.DataFrame, windows: pd.DataFrame, holidays: pd.DataFrame | None = None
) -> pd.DataFrame:
    """One row (`ANOMALY_COLUMNS`) per company and meter whose last day was an anomaly; see `judge_days`.

    `severity` is warning for an outage, else notice or info by the score. `reason` says weekday, ratio to the
    expected quantity, days of history and whether it was a public holiday.
    """
    judged = judge_days(meter_daily, windows, holidays)
    rows, columns = np.nonzero(judged.kind != "")
    frame = judged.usage.windows
    dates = (frame.ends - 1)[rows]
    kind, score = judged.kind[rows, columns], judged.score[rows, columns]
    notice = np.where(np.abs(score) >= NOTICE_SCORE, "notice", "info")
    found = {
        "company_id": frame.company_ids[rows],
        "meter": np.array(judged.usage.meters, dtype=object)[columns],
        "usage_date": dates.astype("datetime64[s]"),
        "kind": kind,
        "severity": np.where(kind == "outage", "warning", notice).astype(object),
        "quantity": judged.quantity[rows, columns],
        "expected_quantity": np.round(judged.expected[rows, columns], 2),
        "low_quantity": np.round(judged.low[rows, columns], 2),
        "high_quantity": np.round(judged.high[rows, columns], 2),
        "score": np.round(score, 2),
        "reason": _reasons(judged, rows, columns, weekday_of(dates)),
    }
    return pd.DataFrame(found, columns=list(ANOMALY_COLUMNS))


def judge_days(meter_daily: pd.DataFrame, windows: pd.DataFrame, holidays: pd.DataFrame | None = None) -> DayJudgement:
    """Judge the last day of every window against the days before it in the window.

    `meter_daily`: company_id, meter, usage_date, quantity, and count_events where a meter is a sum over events
    (without it a quantity is a count). A day without a row is a day without usage: so the caller's windows hold only
    days on which the company was active and its reporting complete. `holidays` (company_id, holiday_date) are the
    public ones: they shape no expectation, and on one any quantity down to zero is as expected.

    What lies outside `expect_day`'s bounds of `ANOMALY_SCORE` *and* is less than half or more than twice the
    expected quantity is an anomaly; at most a tenth of it is an outage, a drop lies beyond `DROP_SCORE`.
    Raises ValueError for missing columns, impossible quantities or windows.
    """
    usage = meter_days(meter_daily, windows)
    frame, companies, meters = usage.windows, len(usage.windows.company_ids), len(usage.meters)
    is_holiday = _holiday_mask(usage, holidays)
    age = np.arange(1, max(frame.days, 1))
    place = frame.lengths[:, None] - 1 - age
    past = np.take_along_axis(usage.quantity, np.maximum(place, 0)[:, None, :], axis=2)
    known = (place >= 0) & ~np.take_along_axis(is_holiday, np.maximum(place, 0), axis=1)
    last = frame.lengths - 1
    quantity = np.take_along_axis(usage.quantity, last[:, None, None], axis=2)[:, :, 0]
    on_holiday = np.take_along_axis(is_holiday, last[:, None], axis=1)[:, 0]
    unit = _event_unit(usage.event_size)
    day = expect_day(
        past.reshape(companies * meters, len(age)) / unit.reshape(companies * meters, 1),
        np.repeat(known, meters, axis=0),
        np.repeat(weekday_of(frame.ends - 1), meters),
        np.tile(np.arange(meters), companies),
    )
    enough = (last >= MIN_HISTORY_DAYS) & (known.sum(axis=1) >= MIN_ORDINARY_DAYS)
    return _judge(usage, day, unit, quantity, on_holiday, enough)


def _event_unit(event_size: Floats) -> Floats:
    """Quantity [c, m] that varies like one event of a count: in a compound Poisson sum E[X^2] / E[X] of a size X."""
    return np.where(event_size == 1, 1, event_size * (1 + SIZE_VARIATION))


def _judge(
    usage: MeterDays, day: Expectation, unit: Floats, quantity: Floats, on_holiday: Bools, enough: Bools
) -> DayJudgement:
    shape = quantity.shape
    low, high = (bound.reshape(shape) * unit for bound in day.bounds(ANOMALY_SCORE))
    expected = day.mean.reshape(shape) * unit
    low = np.where(on_holiday[:, None], 0, np.minimum(low, expected))
    root = np.sqrt(quantity / unit + 3 / 8).ravel()
    score = normal_score((root - day.root) / day.deviation, day.freedom).reshape(shape)
    rules = [
        (quantity < low) & (quantity <= OUTAGE_SHARE * expected),
        (score < -DROP_SCORE) & (quantity < low) & (quantity <= DROP_SHARE * expected),
        (quantity > high) & (quantity >= BURST_SHARE * expected),
    ]
    kind = np.select(rules, ["outage", "drop", "burst"], default="")
    return DayJudgement(
        usage=usage,
        kind=np.where(enough[:, None], kind, "").astype(object),
        quantity=quantity,
        expected=expected,
        low=low,
        high=high,
        score=score,
        history_days=day.days.reshape(shape),
        is_holiday=on_holiday,
        is_judged=np.broadcast_to(enough[:, None], shape),
        can_fall_out=enough[:, None] & (low > 0),
    )


def _holiday_mask(usage: MeterDays, holidays: pd.DataFrame | None) -> Bools:
    frame = usage.windows
    mask = np.zeros((len(frame.company_ids), max(frame.days, 1)), dtype=bool)
    if holidays is not None:
        require_columns(holidays, "holidays", ("company_id", "holiday_date"))
        rows, days, inside = frame.locate(holidays["company_id"], pd.Series(as_dates(holidays["holiday_date"])))
        mask[rows[inside], days[inside]] = True
    return mask


def _reasons(judged: DayJudgement, rows: Ints, columns: Ints, weekdays: Ints) -> list[dict[str, Any]]:
    share = np.round(ratio(judged.quantity[rows, columns], judged.expected[rows, columns]), 3)
    return [
        {
            "weekday": WEEKDAYS[weekday],
            "is_holiday": is_holiday,
            "ratio_to_expected": None if np.isnan(quotient) else quotient,
            "days_of_history": days,
        }
        for weekday, is_holiday, quotient, days in zip(
            weekdays.tolist(),
            judged.is_holiday[rows].tolist(),
            share.tolist(),
            judged.history_days[rows, columns].tolist(),
            strict=True,
        )
    ]
