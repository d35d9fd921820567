"""What followed past recommendations: read from the marts, priced, and stored beside each of them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import append_rows, read_frame
from ml.analysis.projection import PROJECTED_METERS
from ml.evaluation.replayed_regret import MONTH_DAYS, replay_recommendations
from ml.rating.plan import Plan
from ml.recommendation.simulation import money
from orchestration.known_usage import read_usage
from orchestration.recommendations import read_plans
from orchestration.signal_inputs import COMPLETENESS, completeness

AMOUNTS = (
    "recommended_cost",
    "stay_cost",
    "best_cost",
    "last_month_cost",
    "single_plan_cost",
    "regret",
    "saving",
)
STORED = (
    "company_id",
    "recommendation_key",
    "as_of",
    "currency",
    *AMOUNTS,
    "best_plan_id",
    "last_month_plan_id",
    "single_plan_id",
    "is_harmed",
    "probability",
    "was_right",
    "history_days",
)


def replay_all(connection: Connection, now: datetime) -> pd.DataFrame:
    """Every recommendation whose month is over and complete at `now`, as `replay_recommendations` gives it.

    One month of as-of dates after the other, since the best single plan is that of a month.
    """
    plans, ids = read_plans(connection)
    by_id = {ids[plan.plan_key, plan.version]: plan for plan in plans}
    months = connection.execute(MONTHS, [now.date() - timedelta(days=MONTH_DAYS)]).fetchall()
    parts = [_replay_month(connection, first, now, by_id) for (first,) in months]
    found = [part for part in parts if not part.empty]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def store(connection: Connection, replayed: pd.DataFrame, now: datetime) -> int:
    """Put each row in the place of the one that its recommendation had; returns how many rows there are."""
    if replayed.empty:
        return 0
    rows = [_row(row) | {"known_at": now} for row in replayed[list(STORED)].to_dict("records")]
    with connection.transaction():
        connection.execute(DELETE, [replayed["company_id"].tolist(), replayed["recommendation_key"].tolist()])
        return append_rows(connection, "ml.recommendation_regret", rows)


def _replay_month(connection: Connection, first: date, now: datetime, plans: Mapping[int, Plan]) -> pd.DataFrame:
    month_ends = (first + timedelta(days=31)).replace(day=1)
    last = min(month_ends + timedelta(days=MONTH_DAYS), now.date())
    over = completeness(last, now, (last - first).days) | {"month_ends": month_ends, "month_days": MONTH_DAYS}
    found = read_usage(connection, RECOMMENDATIONS, over)
    over |= {
        "ids": found["company_id"].tolist(),
        "keys": found["recommendation_key"].tolist(),
        "meters": list(PROJECTED_METERS),
    }
    options, before = (read_frame(connection, query, over) for query in (OPTIONS, BEFORE))
    return replay_recommendations(found, options, read_usage(connection, FOLLOWED, over), before, plans)


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    amounts = {name: None if np.isnan(row[name]) else money(row[name]) for name in AMOUNTS}
    return {**row, **amounts}


MONTHS = """
    select distinct date_trunc('month', as_of)::date from ml.pricing_recommendations where as_of <= %s order by 1
"""
DELETE = """
    delete from ml.recommendation_regret
    where (company_id, recommendation_key) in (select * from unnest(%s::bigint[], %s::text[]))
"""
RECOMMENDATIONS = f"""
    with

    {COMPLETENESS},

    over as (
        select found.company_id, found.recommendation_key
        from ml.pricing_recommendations as found
        inner join days on found.company_id = days.company_id and days.is_complete
            and days.usage_date >= found.as_of and days.usage_date < found.as_of + %(month_days)s
        where found.as_of >= %(first)s and found.as_of < %(month_ends)s and found.current_plan_id is not null
        group by found.company_id, found.recommendation_key
        having count(*) = %(month_days)s
    )

    select found.company_id, found.recommendation_key, found.recommendation_type, found.action, found.currency,
        found.as_of, found.current_plan_id, found.recommended_plan_id,
        found.confidence_score::double precision as probability, found.reasoning #>> '{{decision,reason}}' as reason,
        histories.history_days, histories.last_days
    from over
    inner join ml.pricing_recommendations as found
        on over.company_id = found.company_id and over.recommendation_key = found.recommendation_key
    cross join lateral (
        select count(*) as history_days,
            count(*) filter (where usage_date::date >= found.as_of - %(month_days)s) as last_days
        from jsonb_array_elements_text(found.input_series #> '{{histories,complete,usage_date,values}}') as usage_date
    ) as histories
    order by found.company_id, found.as_of
"""
OF_THESE = """
    found as (
        select * from ml.pricing_recommendations
        where company_id = any(%(ids)s) and recommendation_key = any(%(keys)s)
    )
"""
OPTIONS = f"""
    with {OF_THESE}
    select found.recommendation_key, plans.plan_id, options.rank
    from found
    cross join lateral jsonb_to_recordset(found.reasoning -> 'options')
        as options (plan_key text, plan_version integer, rank integer)
    inner join raw.plans as plans on options.plan_key = plans.plan_key and options.plan_version = plans.version
"""
FOLLOWED = f"""
    with {OF_THESE}
    select found.recommendation_key, usage.meter, greatest(sum(usage.quantity), 0)::double precision as quantity
    from found
    inner join marts.fct_meter_usage_daily as usage
        on found.company_id = usage.company_id and usage.meter = any(%(meters)s)
        and usage.usage_date >= found.as_of and usage.usage_date < found.as_of + %(month_days)s
    group by found.recommendation_key, usage.meter
"""
# What is stored with a recommendation is known as `engine_inputs` writes it: a frame is its columns.
BEFORE = f"""
    with {OF_THESE}
    select found.recommendation_key, used.meter, sum(used.quantity::double precision) as quantity
    from found
    cross join lateral rows from (
        jsonb_array_elements_text(found.input_series #> '{{histories,meter_daily,meter,values}}'),
        jsonb_array_elements_text(found.input_series #> '{{histories,meter_daily,usage_date,values}}'),
        jsonb_array_elements_text(found.input_series #> '{{histories,meter_daily,quantity,values}}')
    ) as used (meter, usage_date, quantity)
    inner join lateral jsonb_array_elements_text(found.input_series #> '{{histories,complete,usage_date,values}}')
        as complete (usage_date) on used.usage_date = complete.usage_date
    where used.usage_date::date >= found.as_of - %(month_days)s
    group by found.recommendation_key, used.meter
"""
