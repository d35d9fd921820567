"""What the marts say of each company in an experiment, within its days of observation, and who may join one."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame
from ml.experiments.design import Design
from ml.experiments.effect import Outcomes

__all__ = ["read_newcomers", "read_outcomes"]

# A company is read once its days are over, and what happens to it later changes nothing.
OBSERVED = """
    with observed as (
        select assignments.company_id, assignments.arm, assignments.stratum, assignments.assigned_at,
            assignments.assigned_at + make_interval(days => %(days)s) as ends_at,
            (assignments.assigned_at at time zone companies.time_zone)::date as first_date,
            ((assignments.assigned_at + make_interval(days => %(days)s)) at time zone companies.time_zone)::date
                as end_date
        from ml.experiment_assignments as assignments
        inner join marts.dim_companies as companies on assignments.company_id = companies.company_id
        where assignments.experiment_id = %(experiment_id)s
            and assignments.assigned_at + make_interval(days => %(days)s) <= %(now)s
    ),
"""
ACCEPTANCE = """
    measured as (
        select observed.company_id, count(*) filter (where is_accepted) as numerator, count(*) as denominator
        from observed
        inner join marts.fct_recommendations as recommendations
            on observed.company_id = recommendations.company_id
            and recommendations.generated_at >= observed.assigned_at
            and recommendations.is_decided and recommendations.actioned_at < observed.ends_at
        group by observed.company_id
    )
"""
TRIAL_CONVERSION = """
    versions as (
        select company_id, status, lead(status) over versions as next_status, lead(first_date) over versions as ended_on
        from marts.subscriptions_history
        where first_date <= last_date
        window versions as (partition by company_id order by valid_from)
    ),
    measured as (
        select observed.company_id, count(*) filter (where next_status = 'active') as numerator,
            count(*) as denominator
        from observed
        inner join versions on observed.company_id = versions.company_id
        where versions.status = 'trial' and versions.next_status <> 'trial'
            and versions.ended_on >= observed.first_date and versions.ended_on < observed.end_date
        group by observed.company_id
    )
"""
MONTHLY_REVENUE = """
    months as (
        select company_id, (date_trunc('month', first_date - 1) + interval '1 month')::date as first_month,
            date_trunc('month', end_date)::date as end_month
        from observed
    ),
    measured as (
        select months.company_id, coalesce(sum(lines.amount), 0) as numerator,
            12 * extract(year from age(end_month, first_month)) + extract(month from age(end_month, first_month))
                as denominator
        from months
        left join marts.fct_rated_lines as lines
            on months.company_id = lines.company_id and lines.currency = %(currency)s
            and lines.usage_period >= months.first_month and lines.usage_period < months.end_month
        where months.first_month < months.end_month
        group by months.company_id, months.first_month, months.end_month
    )
"""
MEASURED: Mapping[str, str] = {
    "acceptance": ACCEPTANCE,
    "trial_conversion": TRIAL_CONVERSION,
    "monthly_revenue": MONTHLY_REVENUE,
}
BY_COMPANY = """
    select observed.company_id, observed.arm = 'b' as is_b, observed.stratum,
        coalesce(measured.numerator, 0)::double precision as numerator,
        coalesce(measured.denominator, 0)::double precision as denominator
    from observed left join measured on observed.company_id = measured.company_id
    order by observed.company_id
"""
NEWCOMERS = """
    with described as (
        select distinct on (company_id) company_id, volume_category
        from ml.business_characteristics where known_at <= %(now)s order by company_id asc, as_of desc
    )
    select companies.company_key, companies.company_id,
        coalesce(companies.plan_key, 'none') || '/' || coalesce(described.volume_category, 'unknown') as stratum
    from marts.dim_companies as companies
    left join described on companies.company_id = described.company_id
    where companies.currency = %(currency)s and companies.lifecycle_day >= 0
        and companies.subscription_status is distinct from 'cancelled'
        and (cardinality(%(plan_keys)s::text[]) = 0 or companies.plan_key = any(%(plan_keys)s))
        and not exists (
            select from ml.experiment_assignments as assignments
            where assignments.company_id = companies.company_id and assignments.experiment_id = %(experiment_id)s
        )
    order by companies.company_key
"""


def read_outcomes(connection: Connection, experiment_id: int, design: Design, metric: str, now: datetime) -> Outcomes:
    """Numerators and denominators of every company whose days of observation are over at `now`."""
    facts = {
        "experiment_id": experiment_id,
        "days": design.observation_days,
        "now": now,
        "currency": design.currency,
    }
    frame = read_frame(connection, OBSERVED + MEASURED[metric] + BY_COMPANY, facts)
    return Outcomes(
        frame["is_b"].to_numpy(dtype=bool),
        pd.factorize(frame["stratum"])[0].astype(np.int64),
        frame["numerator"].to_numpy(dtype=np.float64),
        frame["denominator"].to_numpy(dtype=np.float64),
    )


def read_newcomers(connection: Connection, experiment_id: int, design: Design, now: datetime) -> pd.DataFrame:
    """Companies that take part and have no variant yet: company_key, company_id, and the stratum of plan and volume."""
    facts = {
        "experiment_id": experiment_id,
        "now": now,
        "currency": design.currency,
        "plan_keys": list(design.plan_keys),
    }
    return read_frame(connection, NEWCOMERS, facts)
