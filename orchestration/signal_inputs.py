"""What anomalies, churn and peers are judged by: days on which a company was active and its usage had arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from psycopg import Connection

from ml.analysis.churn import HISTORY_DAYS
from ml.evaluation.anomalies import HISTORY_DAYS as ANOMALY_DAYS
from orchestration.known_usage import read_usage

MOST_DELAY_DAYS = 3
"""A day counts as complete at the latest so many days after its end, however late the company's events use to come."""

LATENESS_DAYS = 14
"""Days before the as-of date whose slowest says how long a company's events use to come after a day's end."""


@dataclass(frozen=True)
class SignalInputs:
    """Frames at one `as_of`: no usage at or after it, or received after `known_at`, is in them.

    Each window ends with a complete day before the as-of date.

    `windows`: the unbroken complete days of every active company, at most `HISTORY_DAYS`. `usage_daily`: events of
    any kind per company and date.
    """

    as_of: date
    known_at: datetime
    windows: pd.DataFrame
    usage_daily: pd.DataFrame

    @property
    def anomaly_windows(self) -> pd.DataFrame:
        """The last day of each window and the 28 before it."""
        return last_days(self.windows, ANOMALY_DAYS + 1)

    @property
    def span(self) -> dict[str, Any]:
        """The dates that any window can reach, half-open."""
        return completeness(self.as_of, self.known_at, HISTORY_DAYS + MOST_DELAY_DAYS)


def read_signals(connection: Connection, at: date, known_at: datetime) -> SignalInputs:
    """Read the complete days before `at` of every company that was active then."""
    days = read_usage(connection, DAYS, completeness(at, known_at, HISTORY_DAYS + MOST_DELAY_DAYS))
    windows = last_days(complete_windows(days, at), HISTORY_DAYS)
    return SignalInputs(at, known_at, windows, days[["company_id", "usage_date", "quantity"]])


def completeness(at: date, known_at: datetime, days: int) -> dict[str, Any]:
    """Parameters of the queries that tell which of the `days` before `at` are complete."""
    return {
        "first": at - timedelta(days=days),
        "as_of": at,
        "known_at": known_at,
        "late_from": at - timedelta(days=LATENESS_DAYS),
        "most_delay": timedelta(days=MOST_DELAY_DAYS),
    }


def complete_windows(days: pd.DataFrame, at: date) -> pd.DataFrame:
    """The last unbroken run of complete days of each company (company_id, window_start, window_end).

    A run that ended more than `MOST_DELAY_DAYS` before `at` is of a company that is no longer active, and left out.

    Args:
        days: company_id, usage_date and is_complete, one row per company and day on which it was active.
        at: the day after the last that may count.
    """
    complete = days[days["is_complete"].astype(bool) & (days["usage_date"] < pd.Timestamp(at))]
    complete = complete.sort_values(["company_id", "usage_date"])
    gap = complete.groupby("company_id")["usage_date"].diff() != pd.Timedelta(days=1)
    runs = complete.groupby(["company_id", gap.cumsum().rename("run")])["usage_date"].agg(["min", "max"]).reset_index()
    last = runs.drop_duplicates("company_id", keep="last")
    windows = pd.DataFrame(
        {
            "company_id": last["company_id"],
            "window_start": last["min"],
            "window_end": last["max"] + pd.Timedelta(days=1),
        }
    )
    return windows[windows["window_end"] >= pd.Timestamp(at - timedelta(days=MOST_DELAY_DAYS))].reset_index(drop=True)


def last_days(windows: pd.DataFrame, days: int) -> pd.DataFrame:
    """The same windows, cut to their last `days`."""
    first = windows["window_end"] - pd.Timedelta(days=days)
    return windows.assign(window_start=windows["window_start"].where(windows["window_start"] > first, first))


def read_meter_days(connection: Connection, inputs: SignalInputs) -> pd.DataFrame:
    """Quantity and events per company, meter and date, of meters that add up, are no money and no part of another."""
    return read_usage(connection, METER_DAYS, inputs.span)


def read_holidays(connection: Connection, inputs: SignalInputs) -> pd.DataFrame:
    """The public holidays of each company's country (company_id, holiday_date)."""
    return read_usage(connection, HOLIDAYS, inputs.span)


def publication_date(at: date) -> date:
    """The benchmarks that hold at a date are those of the first of its month: windows of two of them share no day."""
    return at.replace(day=1)


def read_industries(connection: Connection, over: Mapping[str, Any]) -> pd.DataFrame:
    """The industry of each company; one without is of the industry "unknown", as is one whose industry is "all"."""
    return read_usage(connection, INDUSTRIES, over)


INDUSTRIES = """
    select company_id, coalesce(nullif(nullif(industry, ''), 'all'), 'unknown') as industry from marts.dim_companies
"""
COMPLETENESS = """
    lateness as (
        select company_id, max(closing_minutes) * interval '1 minute' as closing
        from marts.fct_event_lateness
        where usage_date >= %(late_from)s and usage_date < %(as_of)s
        group by company_id
    ),

    unbuilt as (select usage_date from ops.usage_date_state where built_version < dirty_version),

    days as (
        select usage.company_id, usage.usage_date, sum(usage.total_events)::double precision as quantity,
            bool_and(
                usage.is_day_complete
                and usage.day_ends_at + least(coalesce(lateness.closing, interval '0'), %(most_delay)s) <= %(known_at)s
                and unbuilt.usage_date is null
            ) as is_complete
        from marts.fct_usage_daily as usage
        left join lateness on usage.company_id = lateness.company_id
        left join unbuilt on usage.usage_date = unbuilt.usage_date
        where usage.usage_date >= %(first)s and usage.usage_date < %(as_of)s
        group by usage.company_id, usage.usage_date
    )
"""
DAYS = f"with {COMPLETENESS} select company_id, usage_date, quantity, is_complete from days"
METER_DAYS = """
    select usage.company_id, usage.meter, usage.usage_date,
        greatest(sum(usage.quantity), 0)::double precision as quantity,
        sum(usage.count_events)::double precision as count_events
    from marts.fct_meter_usage_daily as usage
    inner join marts.billable_meters as meters on usage.meter = meters.meter
    where usage.usage_date >= %(first)s and usage.usage_date < %(as_of)s
        and meters.aggregation in ('count', 'sum') and meters.value_field is distinct from 'revenue'
        and meters.filter is null
    group by usage.company_id, usage.meter, usage.usage_date
"""
HOLIDAYS = """
    select companies.company_id, holidays.holiday_date
    from marts.dim_companies as companies
    inner join raw.holidays as holidays on companies.country = holidays.country
    where holidays.holiday_date >= %(first)s and holidays.holiday_date < %(as_of)s
"""
