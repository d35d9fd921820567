"""What forecasts read: the days of companies that are active, and of a sample of all from which models are learned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from psycopg import Connection

from ml.analysis.forecasting.history import WEEK, History
from ml.analysis.forecasting.learning import HISTORY_DAYS
from ml.analysis.meter_days import histories_of
from ml.analysis.projection import PROJECTED_METERS
from orchestration.known_usage import as_known, read_usage
from orchestration.shards import Shard
from orchestration.signal_inputs import COMPLETENESS, completeness

LEARNING_DAYS, LEARNING_COMPANIES = 300, 200
"""What is learned from: so many days of so many companies, drawn by their ids alone: each run draws the same ones."""

Accuracies = Mapping[tuple[str, str, int], Mapping[str, Any]]
"""By meter, segment and days of history: judged_as_of, wape and coverage_80."""


@dataclass(frozen=True)
class ForecastInputs:
    """Frames at one `as_of`; no usage at or after it, or received after the instant of reading, is in them.

    `windows`: company_id, window_start, window_end, activated_on. `complete`: whole days on which the company was
    active, after that of its activation, and whose usage has arrived (company_id, usage_date).
    """

    windows: pd.DataFrame
    meter_daily: pd.DataFrame
    holidays: pd.DataFrame
    complete: pd.DataFrame

    def histories(self) -> dict[str, History]:
        """The history of every projected meter, rows in the order of the windows."""
        return histories_of(self.meter_daily, self.windows, self.holidays, self.complete, PROJECTED_METERS)

    def arrived(self) -> dict[str, History]:
        """The same with all that has arrived of the days that are not complete."""
        return histories_of(self.meter_daily, self.windows, meters=PROJECTED_METERS)


def read_histories(connection: Connection, at: date, known_at: datetime, company_ids: Iterable[int]) -> ForecastInputs:
    """What companies are forecast from: the days before `at` that the longest model looks at."""
    return _read(connection, at, known_at, HISTORY_DAYS[-1], list(company_ids))


def read_lessons(connection: Connection, at: date, known_at: datetime) -> ForecastInputs:
    """What models are learned from: the past of a sample of all companies."""
    over = completeness(at, known_at, WEEK) | {"count": LEARNING_COMPANIES}
    return _read(connection, at, known_at, LEARNING_DAYS, _ids(connection, SAMPLE, over))


def read_limits(connection: Connection, at: date, known_at: datetime, company_ids: Sequence[int]) -> pd.DataFrame:
    """What the terms of the current period allow or include (company_id, meter, limit_quantity, used_quantity)."""
    over = {"first": period_of(at)[0], "as_of": at, "known_at": known_at}
    return read_usage(connection, LIMITS, over | {"meters": list(PROJECTED_METERS), "ids": list(company_ids)})


def read_accuracy(connection: Connection, at: date, known_at: datetime) -> Accuracies:
    """What a backtest said last, before the instant, of the forecasts that were given to series of each kind.

    It is that of the forecasts as given, whichever model was chosen: the choice is a part of what may go wrong, and
    only what is given has an interval.
    """
    rows = connection.execute(ACCURACY, {"as_of": at, "known_at": known_at}).fetchall()
    return {row[:3]: {"judged_as_of": row[3], "wape": row[4], "coverage_80": row[5]} for row in rows}


def period_of(at: date) -> tuple[date, date]:
    """The billing period that a date is in, half-open: its month."""
    first = at.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def read_ids(connection: Connection, shard: Shard) -> Sequence[int]:
    """The companies of a shard that are active."""
    over = completeness(shard.as_of, shard.known_at, WEEK)
    companies = {"first_company": shard.companies.start, "end_company": shard.companies.stop}
    return _ids(connection, ACTIVE, over | companies)


def _ids(connection: Connection, query: str, over: Mapping[str, Any]) -> list[int]:
    return [row[0] for row in connection.execute(as_known(connection, query, over).encode(), over)]


def _read(connection: Connection, at: date, known_at: datetime, days: int, ids: list[int]) -> ForecastInputs:
    over = completeness(at, known_at, days) | {"ids": ids, "meters": list(PROJECTED_METERS)}
    over |= {"first_company": min(ids, default=0), "end_company": max(ids, default=0) + 1}
    return ForecastInputs(*(read_usage(connection, query, over) for query in (WINDOWS, METERS, HOLIDAYS, COMPLETE)))


IS_ACTIVE = """
    activated_on < %(as_of)s and exists (
        select from marts.fct_usage_daily as days
        where days.company_id = companies.company_id
            and days.usage_date >= %(first)s and days.usage_date < %(as_of)s
    )
"""
ACTIVE = f"""
    select company_id from marts.dim_companies as companies
    where {IS_ACTIVE} and company_id >= %(first_company)s and company_id < %(end_company)s
"""
SAMPLE = f"""
    select company_id from marts.dim_companies as companies where {IS_ACTIVE}
    order by md5(company_id::text) limit %(count)s
"""
WINDOWS = """
    select company_id, activated_on, greatest(activated_on, %(first)s::date) as window_start,
        %(as_of)s::date as window_end
    from marts.dim_companies where activated_on < %(as_of)s and company_id = any(%(ids)s) order by company_id
"""
METERS = """
    select company_id, meter, usage_date, greatest(sum(quantity), 0)::double precision as quantity
    from marts.fct_meter_usage_daily
    where usage_date >= %(first)s and usage_date < %(as_of)s and meter = any(%(meters)s) and company_id = any(%(ids)s)
    group by company_id, meter, usage_date
"""
HOLIDAYS = """
    select companies.company_id, holidays.holiday_date
    from marts.dim_companies as companies
    inner join raw.holidays as holidays on companies.country = holidays.country
    where holidays.holiday_date >= %(first)s and companies.company_id = any(%(ids)s)
"""
COMPLETE = f"""
    with {COMPLETENESS}
    select days.company_id, days.usage_date
    from days
    inner join marts.dim_companies as companies on days.company_id = companies.company_id
    where days.is_complete and days.usage_date > companies.activated_on and days.company_id = any(%(ids)s)
"""
LIMITS = """
    with

    used as (
        select company_id, meter, sum(quantity)::double precision as quantity
        from marts.fct_meter_usage_daily
        where usage_date >= %(first)s and usage_date < %(as_of)s and meter = any(%(meters)s)
            and company_id = any(%(ids)s)
        group by company_id, meter
    )

    select allowances.company_id, allowances.meter,
        coalesce(allowances.limit_quantity, allowances.included_quantity)::double precision as limit_quantity,
        coalesce(used.quantity, 0) as used_quantity
    from billing.allowances as allowances
    left join used on allowances.company_id = used.company_id and allowances.meter = used.meter
    where allowances.usage_period = %(first)s and allowances.meter = any(%(meters)s)
        and allowances.company_id = any(%(ids)s)
        and coalesce(allowances.limit_quantity, allowances.included_quantity) is not null
"""
ACCURACY = """
    select distinct on (meter, segment, history_days) meter, segment, history_days, as_of, wape, coverage_80
    from ml.forecast_accuracy
    where model = 'forecast' and as_of <= %(as_of)s and known_at < %(known_at)s
    order by meter, segment, history_days, as_of desc
"""
