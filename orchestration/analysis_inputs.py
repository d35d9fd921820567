"""What the analysis reads: usage of each company's window, as the marts have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame
from ml.analysis.projection import PROJECTED_METERS
from orchestration.known_usage import as_known, read_usage
from orchestration.shards import ALL_COMPANIES

ANALYSIS_DAYS = 14
Span = dict[str, Any]


@dataclass(frozen=True)
class AnalysisInputs:
    """Frames for all active companies at one `as_of`: no usage at or after it, or received after `known_at`."""

    as_of: date
    known_at: datetime
    windows: pd.DataFrame
    hourly: pd.DataFrame
    meter_daily: pd.DataFrame

    @property
    def span(self) -> Span:
        """What these frames were read over."""
        return span(self.as_of, self.known_at)


def as_of(usage_date: date) -> date:
    """The end of a usage date's partition: what lies at or after it is not read."""
    return usage_date + timedelta(days=1)


def span(at: date, known_at: datetime, companies: range = ALL_COMPANIES) -> Span:
    """What is read: the dates that any window can reach and the ids of companies, both half-open (`as_known`)."""
    return {
        "known_at": known_at,
        "first": at - timedelta(days=ANALYSIS_DAYS),
        "as_of": at,
        "first_company": companies.start,
        "end_company": companies.stop,
    }


def read_inputs(connection: Connection, at: date, known_at: datetime) -> AnalysisInputs:
    """Read the last 14 days before `at` of every company that was active by then."""
    over = span(at, known_at)
    meter_daily = read_usage(connection, METER_DAILY, {**over, "meters": list(PROJECTED_METERS)})
    return AnalysisInputs(at, known_at, read_windows(connection, over), read_hourly(connection, over), meter_daily)


def read_windows(connection: Connection, over: Span) -> pd.DataFrame:
    """The window of every company that was active by then, in the order of their ids."""
    return read_usage(connection, WINDOWS, over)


def read_hourly(connection: Connection, over: Span) -> pd.DataFrame:
    """Calls and bookings per company, usage date and local hour."""
    return read_usage(connection, HOURLY, over)


def read_activity(connection: Connection, over: Span) -> pd.DataFrame:
    """Customers, services and revenue per company."""
    return read_usage(connection, ACTIVITY, over)


def read_pooled_profile(connection: Connection, over: Span) -> npt.NDArray[np.float64]:
    """`ml.analysis.characteristics.pooled_profile` [24] of all companies, without reading what each one did."""
    profile = np.zeros(24)
    for hour, share in connection.execute(as_known(connection, POOLED_PROFILE, over).encode(), over):
        profile[hour] = share
    return profile


def read_heatmap(connection: Connection, over: Span) -> npt.NDArray[np.int64]:
    """Calls of all companies in their windows, by weekday (0 = Monday) and local hour [7, 24]."""
    calls = np.zeros((7, 24), dtype=np.int64)
    for weekday, hour, count in connection.execute(as_known(connection, HEATMAP, over).encode(), over):
        calls[weekday, hour] = count
    return calls


WINDOWS = """
    select company_id, greatest(activated_on, %(first)s::date) as window_start, %(as_of)s::date as window_end
    from marts.dim_companies
    where activated_on < %(as_of)s and company_id >= %(first_company)s and company_id < %(end_company)s
    order by company_id
"""
HOURLY = """
    select company_id, usage_date, local_hour::bigint as local_hour, sum(total_calls)::bigint as total_calls,
        sum(total_seconds)::bigint as total_seconds, sum(after_hours_calls)::bigint as after_hours_calls,
        sum(successful_bookings)::bigint as successful_bookings, sum(failed_bookings)::bigint as failed_bookings
    from marts.fct_usage_hourly
    where usage_date >= %(first)s and usage_date < %(as_of)s
        and company_id >= %(first_company)s and company_id < %(end_company)s
    group by company_id, usage_date, local_hour
"""
METER_DAILY = """
    select company_id, meter, usage_date, sum(quantity)::double precision as quantity
    from marts.fct_meter_usage_daily
    where usage_date >= %(first)s and usage_date < %(as_of)s and meter = any(%(meters)s)
    group by company_id, meter, usage_date
"""
CALLS_IN_WINDOWS = """
    select hourly.company_id, hourly.usage_date, hourly.local_hour, hourly.total_calls
    from marts.fct_usage_hourly as hourly
    inner join marts.dim_companies as companies on hourly.company_id = companies.company_id
    where hourly.usage_date >= %(first)s and hourly.usage_date < %(as_of)s
        and hourly.usage_date >= companies.activated_on
"""
POOLED_PROFILE = f"""
    with

    calls as ({CALLS_IN_WINDOWS}),

    by_hour as (
        select company_id, local_hour, sum(total_calls)::numeric as total from calls group by company_id, local_hour
    ),

    shares as (
        select company_id, local_hour, total / sum(total) over (partition by company_id) as share
        from by_hour where total > 0
    )

    select local_hour::int, (sum(share) / (select count(distinct company_id) from shares))::double precision
    from shares group by local_hour
"""
HEATMAP = f"""
    with

    calls as ({CALLS_IN_WINDOWS})

    select extract(isodow from usage_date)::int - 1 as weekday, local_hour::int, sum(total_calls)::bigint
    from calls group by weekday, local_hour
"""
ACTIVITY = """
    with

    customers as (
        select company_id, value, max(usage_date) > min(usage_date) as has_returned
        from intermediate.int_meter_values
        where usage_date >= %(first)s and usage_date < %(as_of)s and meter = 'customers'
            and company_id >= %(first_company)s and company_id < %(end_company)s
        group by company_id, value
    ),

    counted as (
        select company_id, count(*) as unique_customers, count(*) filter (where has_returned) as returning_customers
        from customers group by company_id
    ),

    services as (
        select distinct company_id, service from marts.fct_conversion
        where usage_date >= %(first)s and usage_date < %(as_of)s and service <> 'unknown'
            and company_id >= %(first_company)s and company_id < %(end_company)s
    ),

    offered as (select company_id, count(*) as distinct_services from services group by company_id),

    earned as (
        select company_id, sum(total_revenue)::double precision as total_revenue
        from marts.fct_usage_daily
        where usage_date >= %(first)s and usage_date < %(as_of)s
            and company_id >= %(first_company)s and company_id < %(end_company)s
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
        and companies.company_id >= %(first_company)s and companies.company_id < %(end_company)s
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
