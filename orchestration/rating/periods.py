"""Which usage periods have to be rated: those whose usage or terms are not those that their lines were rated from."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import Connection

from integrations.postgres.usage_dates import unrated_dates
from ml.rating.meters import METERS
from ml.rating.spans import next_period

__all__ = ["ADDITIVE", "Due", "Period", "periods_due"]

Period = tuple[int, date]
ADDITIVE = [name for name, meter in METERS.items() if meter.adds_up]


@dataclass(frozen=True)
class Due:
    """A company's usage period whose usage or terms are not those that its lines were rated from."""

    company_id: int
    usage_period: date
    usage_signature: str
    terms_signature: str
    is_over: bool

    @property
    def period(self) -> Period:
        """Whose, and which."""
        return self.company_id, self.usage_period


# A period is due when its usage or terms differ from what was rated; usage is only looked at in months that were built
# since, or in which something was never rated. Events that are priced one by one may change while their sum does not.
MONTHS = """
    select distinct date_trunc('month', usage_date)::date from unnest(%(touched)s::date[]) as usage_date
    union
    select usage_period from ({periods}) as periods
    where not exists (
        select from billing.rated_periods as rated
        where rated.company_id = periods.company_id and rated.usage_period = periods.usage_period
    )
"""
PERIODS = """
    select
        agreed.company_id,
        period::date as usage_period,
        agreed.terms,
        (period + interval '1 month') at time zone companies.time_zone <= %(known_at)s as is_over
    from (
        select
            company_id,
            min(first_date) as first_date,
            (array_agg(status order by first_date desc))[1] as last_status,
            max(first_date) as changed_on,
            md5(
                string_agg(
                    concat_ws('|', first_date, plan_key, plan_version, status, billing_interval, add_ons, overrides),
                    ';' order by first_date
                )
            ) as terms
        from marts.subscriptions_history
        where first_date <= last_date and (%(company_id)s::bigint is null or company_id = %(company_id)s)
        group by company_id
    ) as agreed
    inner join marts.dim_companies as companies on agreed.company_id = companies.company_id
    cross join lateral generate_series(
        date_trunc('month', agreed.first_date::timestamp),
        date_trunc(
            'month',
            case
                when agreed.last_status = 'cancelled' then agreed.changed_on::timestamp
                else %(known_at)s at time zone companies.time_zone
            end
        ),
        interval '1 month'
    ) as period
    where agreed.first_date <= (%(known_at)s at time zone companies.time_zone)::date
"""
DUE = """
    with

    periods as ({periods}),

    usage as (
        select company_id, usage_period, md5(string_agg(concat_ws('|', usage_date, meter, counted), ';'
            order by usage_date, meter)) as usage_signature
        from (
            select company_id, date_trunc('month', usage_date)::date as usage_period, usage_date, meter,
                sum(quantity)::text as counted
            from marts.fct_meter_usage_daily
            where usage_date >= %(first)s and usage_date < %(end)s
                and date_trunc('month', usage_date)::date = any(%(months)s)
                and (%(company_id)s::bigint is null or company_id = %(company_id)s)
            group by company_id, usage_date, meter
            union all
            select company_id, usage_month, usage_month, meter, quantity::text
            from marts.fct_meter_usage_monthly
            where usage_month = any(%(months)s) and not meter = any(%(additive)s)
                and (%(company_id)s::bigint is null or company_id = %(company_id)s)
            union all
            select company_id, date_trunc('month', usage_date)::date, usage_date, meter || ' by event',
                md5(string_agg(quantity::text, ';' order by occurred_at, source, event_id))
            from intermediate.int_priced_events
            where usage_date >= %(first)s and usage_date < %(end)s
                and date_trunc('month', usage_date)::date = any(%(months)s)
                and (%(company_id)s::bigint is null or company_id = %(company_id)s)
            group by company_id, usage_date, meter
        ) as quantities
        group by company_id, usage_period
    ),

    now as (
        select
            periods.company_id,
            periods.usage_period,
            case
                when periods.usage_period = any(%(months)s) then coalesce(usage.usage_signature, '')
                else rated.usage_signature
            end as usage_signature,
            periods.terms || case when periods.is_over then ':over' else '' end as terms_signature,
            periods.is_over,
            rated.usage_signature as usage_rated,
            rated.terms_signature as terms_rated
        from periods
        left join usage on periods.company_id = usage.company_id and periods.usage_period = usage.usage_period
        left join billing.rated_periods as rated
            on periods.company_id = rated.company_id and periods.usage_period = rated.usage_period
    )

    select company_id, usage_period, usage_signature, terms_signature, is_over from now
    where %(everything)s or usage_signature is distinct from usage_rated or terms_signature is distinct from terms_rated
    order by company_id, usage_period
"""


def periods_due(connection: Connection, known_at: datetime, company_id: int | None = None) -> list[Due]:
    """The usage periods whose usage or terms changed since they were rated, or that ended since; of one company, if it
    is given, all of them."""
    parameters: dict[str, Any] = {"known_at": known_at, "company_id": company_id, "additive": ADDITIVE}
    touched = list(unrated_dates(connection))
    rows = connection.execute(MONTHS.format(periods=PERIODS).encode(), {**parameters, "touched": touched})
    months = sorted(row[0] for row in rows)
    if company_id is not None:
        months = [row[1] for row in connection.execute(PERIODS.encode(), parameters)]
    edges = {"first": min(months, default=None), "end": next_period(max(months)) if months else None}
    found = connection.execute(
        DUE.format(periods=PERIODS).encode(),
        {**parameters, **edges, "months": months, "everything": company_id is not None},
    )
    return [Due(*row) for row in found]
