"""What the analysis reads: usage of each company's window, as the marts have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame
from ml.analysis.projection import PROJECTED_METERS

ANALYSIS_DAYS = 14


@dataclass(frozen=True)
class AnalysisInputs:
    """Frames for all active companies at one `as_of`; no usage at or after it is in them."""

    as_of: date
    known_at: datetime
    windows: pd.DataFrame
    hourly: pd.DataFrame
    meter_daily: pd.DataFrame

    @property
    def span(self) -> dict[str, date]:
        """The dates that any window can reach, half-open."""
        return {"first": self.as_of - timedelta(days=ANALYSIS_DAYS), "as_of": self.as_of}


def as_of(usage_date: date) -> date:
    """The end of a usage date's partition: what lies at or after it is not read."""
    return usage_date + timedelta(days=1)


def read_inputs(connection: Connection, at: date, known_at: datetime) -> AnalysisInputs:
    """Read the last 14 days before `at` of every company that was active by then."""
    windows = read_frame(
        connection,
        """
        select company_id, greatest(activated_on, %(as_of)s::date - %(days)s) as window_start,
            %(as_of)s::date as window_end
        from marts.dim_companies where activated_on < %(as_of)s order by company_id
        """,
        {"as_of": at, "days": ANALYSIS_DAYS},
    )
    span = {"first": at - timedelta(days=ANALYSIS_DAYS), "as_of": at, "meters": list(PROJECTED_METERS)}
    hourly = read_frame(connection, HOURLY, span)
    meter_daily = read_frame(connection, METER_DAILY, span)
    return AnalysisInputs(at, known_at, windows, hourly, meter_daily)


def read_activity(connection: Connection, inputs: AnalysisInputs) -> pd.DataFrame:
    """Customers, services and revenue per company in the windows' span."""
    return read_frame(connection, ACTIVITY, inputs.span)


HOURLY = """
    select company_id, usage_date, local_hour::bigint as local_hour, sum(total_calls)::bigint as total_calls,
        sum(total_seconds)::bigint as total_seconds, sum(after_hours_calls)::bigint as after_hours_calls,
        sum(successful_bookings)::bigint as successful_bookings, sum(failed_bookings)::bigint as failed_bookings
    from marts.fct_usage_hourly
    where usage_date >= %(first)s and usage_date < %(as_of)s
    group by company_id, usage_date, local_hour
"""
METER_DAILY = """
    select company_id, meter, usage_date, sum(quantity)::double precision as quantity
    from marts.fct_meter_usage_daily
    where usage_date >= %(first)s and usage_date < %(as_of)s and meter = any(%(meters)s)
    group by company_id, meter, usage_date
"""
ACTIVITY = """
    with

    customers as (
        select company_id, value, max(usage_date) > min(usage_date) as has_returned
        from intermediate.int_meter_values
        where usage_date >= %(first)s and usage_date < %(as_of)s and meter = 'customers'
        group by company_id, value
    ),

    counted as (
        select company_id, count(*) as unique_customers, count(*) filter (where has_returned) as returning_customers
        from customers group by company_id
    ),

    services as (
        select distinct company_id, service from marts.fct_conversion
        where usage_date >= %(first)s and usage_date < %(as_of)s and service <> 'unknown'
    ),

    offered as (select company_id, count(*) as distinct_services from services group by company_id),

    earned as (
        select company_id, sum(total_revenue)::double precision as total_revenue
        from marts.fct_usage_daily where usage_date >= %(first)s and usage_date < %(as_of)s
        group by company_id
    )

    select companies.company_id, coalesce(counted.unique_customers, 0) as unique_customers,
        coalesce(counted.returning_customers, 0) as returning_customers,
        coalesce(offered.distinct_services, 0) as distinct_services,
        coalesce(earned.total_revenue, 0) as total_revenue
    from marts.dim_companies as companies
    left join counted on companies.company_id = counted.company_id
    left join offered on companies.company_id = offered.company_id
    left join earned on companies.company_id = earned.company_id
    where companies.activated_on < %(as_of)s
"""


def read_analysis(connection: Connection, at: date, company_ids: Sequence[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The stored patterns and characteristics of companies at one `as_of`."""
    parameters = [at, list(company_ids)]
    patterns = read_frame(
        connection,
        """
        select company_id, pattern_type, pattern_data, confidence_score::double precision as confidence_score
        from ml.usage_patterns where as_of = %s and company_id = any(%s) order by company_id, pattern_type
        """,
        parameters,
    )
    characteristics = read_frame(
        connection,
        "select * from ml.business_characteristics where as_of = %s and company_id = any(%s) order by company_id",
        parameters,
    )
    return patterns, characteristics
