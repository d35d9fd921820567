"""When a company's first week and first two weeks are over, and everything about them is in the marts."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame

LATEST_HOUR = time(12)
RESULTS = {7: "ml.usage_insights", 14: "ml.pricing_recommendations"}

COMPANIES = """
    select companies.company_id, companies.company_key, companies.activated_on, companies.time_zone,
        exists (
            select from {results} as results
            where results.company_id = companies.company_id and results.as_of = companies.activated_on + %(day)s
        ) as has_result,
        not exists (
            select from ops.usage_date_state as state
            where state.built_version < state.dirty_version
                and state.usage_date >= companies.activated_on
                and state.usage_date < companies.activated_on + %(day)s
        ) as is_window_built,
        exists (
            select from marts.fct_usage_hourly as later
            where later.company_id = companies.company_id and later.usage_date >= companies.activated_on + %(day)s
        ) as has_later_usage,
        coalesce((
            select max(lateness.closing_minutes) from marts.fct_event_lateness as lateness
            where lateness.company_id = companies.company_id
                and lateness.usage_date >= companies.activated_on
                and lateness.usage_date < companies.activated_on + %(day)s - 1
        ), 0)::double precision as closing_minutes
    from marts.dim_companies as companies
    where companies.activated_on >= %(go_live)s
"""


def read_companies(connection: Connection, day: int, go_live: date | None) -> pd.DataFrame:
    """Companies on or after the go-live date, with what `companies_due` needs to know about day `day`."""
    query = COMPANIES.format(results=RESULTS[day])
    return read_frame(connection, query, {"day": day, "go_live": go_live or date.min})


def companies_due(companies: pd.DataFrame, now: datetime, day: int) -> pd.DataFrame:
    """Companies whose first `day` local days are over, complete and built, and that have no result yet.

    The window is complete when usage of a later day has arrived and as many minutes have passed since the window's end
    as the slowest of the company's days before took to be complete; at the latest at 12:00 local on day `day`. A
    missed tick loses nobody.

    Args:
        companies: activated_on, time_zone, has_result, is_window_built, has_later_usage, closing_minutes per company.
        now: the instant of the tick.
        day: 7 or 14.

    Returns:
        The due rows, with `as_of` (the date on which the window ends).
    """
    due = [
        not row.has_result and row.is_window_built and _is_over(row, now, day)
        for row in companies.itertuples(index=False)
    ]
    found = companies[pd.Series(due, index=companies.index, dtype=bool)]
    return found.assign(as_of=found["activated_on"] + pd.Timedelta(days=day))


def _is_over(row, now: datetime, day: int) -> bool:  # type: ignore[no-untyped-def]  # a row of the frame
    zone = ZoneInfo(row.time_zone)
    last = row.activated_on.date() + timedelta(days=day)
    ends_at = datetime.combine(last, time(), zone)
    is_complete = row.has_later_usage and now >= ends_at + timedelta(minutes=row.closing_minutes)
    return now >= ends_at and (is_complete or now >= datetime.combine(last, LATEST_HOUR, zone))


def usage_dates(due: pd.DataFrame) -> list[date]:
    """The partitions that hold the due companies' windows: the last usage date of each."""
    return sorted({(as_of - pd.Timedelta(days=1)).date() for as_of in due["as_of"]})
