"""Plans are looked at again from day 15 on: who is due, what is found, and what of it is told."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import append_rows
from ml.recommendation.lifecycle import OPEN
from ml.recommendation.occasions import FIRST_DAY, MONTH_DAYS, Looked, left_range, outcome_of, review_due
from orchestration.advice import Advice, advise
from orchestration.known_usage import read_usage
from orchestration.lifecycle import SUPERSEDED, publish
from orchestration.recommendations import Occasion
from orchestration.signal_inputs import COMPLETENESS, MOST_DELAY_DAYS, completeness

PRESENT_DAYS = 3
"""Advice is about the present: a run for a date longer ago, as when history is loaded, reviews nobody."""
Due = Mapping[int, dict[str, Any]]


def review(connection: Connection, at: date, now: datetime, go_live: date | None) -> Counter[str]:
    """Look at the plans that are due as of a date, recommend what is new, and remember that they were looked at.

    Returns:
        How many reviews had which outcome. A second run for the same date finds nobody due.
    """
    if now.date() - at > timedelta(days=PRESENT_DAYS):
        return Counter()
    due = due_reviews(read_reviewable(connection, at, now, go_live), at)
    advice = advise(connection, at, now, _occasions(due, at)) if due else Advice()
    rows = {row["company_id"]: row for row in advice.rows}
    standing, closed = _standing(connection, list(due), now), _closed(connection, list(due))
    reviews = []
    for company_id, why in due.items():
        found = rows.get(company_id)
        plans = standing.get(company_id), closed.get(company_id, {})
        outcome = (
            outcome_of(found["recommended_plan_id"], found["current_plan_id"], *plans, at) if found else "not_advised"
        )
        reviews.append(_row(company_id, why, found, outcome, {"as_of": at, "known_at": now}))
    new = [rows[row["company_id"]] for row in reviews if row["outcome"] == "recommended"]
    with connection.transaction():
        publish(connection, new, now, advice.contents)
        append_rows(connection, "ml.recommendation_reviews", reviews)
    return Counter(row["outcome"] for row in reviews)


def due_reviews(companies: pd.DataFrame, at: date) -> dict[int, dict[str, Any]]:
    """By id, company_key, occasion and meters_out_of_range of those companies that are due as of a date.

    `companies`: company_id, company_key, activated_on, looked_on, out_of_range_on, assumed, used and days.
    """
    due = {}
    for row in companies.to_dict("records"):
        meters = left_range(row["used"], row["days"], row["assumed"])
        out_of_range = None if pd.isna(row["out_of_range_on"]) else row["out_of_range_on"].date()
        looked = Looked(row["activated_on"].date(), row["looked_on"].date(), out_of_range)
        if occasion := review_due(looked, at, bool(meters)):
            due[row["company_id"]] = {
                "company_key": row["company_key"],
                "occasion": occasion,
                "meters_out_of_range": meters,
            }
    return due


def read_reviewable(connection: Connection, at: date, known_at: datetime, go_live: date | None) -> pd.DataFrame:
    """Companies that had a recommendation, with when they were looked at, what it assumed, and what they used since.

    What was used is that of the complete days among the whole weeks since the recommendation, the last four at most.
    """
    days = MONTH_DAYS + MOST_DELAY_DAYS
    over = completeness(at, known_at, days) | {"go_live": go_live or date.min, "first_day": FIRST_DAY}
    return read_usage(connection, REVIEWABLE, over)


def _occasions(due: Due, at: date) -> dict[int, Occasion]:
    return {company: Occasion.review(why["occasion"], at, why["company_key"]) for company, why in due.items()}


def _row(
    company_id: int, why: Mapping[str, Any], found: Mapping[str, Any] | None, outcome: str, stamp: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        **stamp,
        "company_id": company_id,
        "occasion": why["occasion"],
        "meters_out_of_range": why["meters_out_of_range"],
        "outcome": outcome,
        "recommended_plan_id": found["recommended_plan_id"] if found else None,
        "recommendation_key": found["recommendation_key"] if found and outcome == "recommended" else None,
    }


def _standing(connection: Connection, company_ids: list[int], now: datetime) -> dict[int, int]:
    """The plan of each company's open recommendation."""
    return dict(connection.execute(STANDING, [company_ids, list(OPEN), now]).fetchall())


def _closed(connection: Connection, company_ids: list[int]) -> dict[int, dict[int, date]]:
    """By company, the plans that it was recommended, and when it last decided on each or let its time run out."""
    closed: dict[int, dict[int, date]] = {}
    for company_id, plan_id, on in connection.execute(CLOSED, [company_ids, SUPERSEDED]):
        closed.setdefault(company_id, {})[plan_id] = on
    return closed


REVIEWABLE = f"""
    with

    {COMPLETENESS},

    latest as (
        select distinct on (company_id) company_id, as_of, coalesce(reasoning -> 'usage', '{{}}') as assumed
        from ml.pricing_recommendations order by company_id, as_of desc
    ),

    looked as (
        select latest.company_id, greatest(latest.as_of, max(reviews.as_of)) as looked_on,
            max(reviews.as_of) filter (where reviews.meters_out_of_range <> '[]') as out_of_range_on
        from latest
        left join ml.recommendation_reviews as reviews on latest.company_id = reviews.company_id
        group by latest.company_id, latest.as_of
    ),

    ended as (select company_id, max(usage_date) + 1 as ends_on from days where is_complete group by company_id),

    spans as (
        select latest.company_id, ended.ends_on,
            ended.ends_on - 7 * least((ended.ends_on - latest.as_of) / 7, 4) as starts_on
        from latest
        inner join ended on latest.company_id = ended.company_id
        where ended.ends_on - latest.as_of >= 7
    ),

    counted as (
        select days.company_id, days.usage_date, count(*) over (partition by days.company_id) as count_days
        from spans
        inner join days on spans.company_id = days.company_id and days.is_complete
            and days.usage_date >= spans.starts_on and days.usage_date < spans.ends_on
    ),

    by_meter as (
        select counted.company_id, usage.meter, sum(usage.quantity)::double precision as quantity
        from counted
        inner join marts.fct_meter_usage_daily as usage
            on counted.company_id = usage.company_id and counted.usage_date = usage.usage_date
        group by counted.company_id, usage.meter
    ),

    used as (select company_id, jsonb_object_agg(meter, quantity) as used from by_meter group by company_id)

    select companies.company_id, companies.company_key, companies.activated_on, looked.looked_on,
        looked.out_of_range_on, latest.assumed, coalesce(used.used, '{{}}') as used,
        (select count(*) from counted where counted.company_id = companies.company_id) as days
    from marts.dim_companies as companies
    inner join latest on companies.company_id = latest.company_id
    inner join looked on companies.company_id = looked.company_id
    left join used on companies.company_id = used.company_id
    where companies.activated_on >= %(go_live)s and companies.activated_on + %(first_day)s <= %(as_of)s
        and companies.subscription_status is distinct from 'cancelled'
    order by companies.company_id
"""
STANDING = """
    select company_id, recommended_plan_id from ml.pricing_recommendations
    where company_id = any(%s) and status = any(%s) and expires_at > %s
"""
CLOSED = """
    select found.company_id, found.recommended_plan_id, max((transitions.at at time zone 'UTC')::date)
    from ml.recommendation_transitions as transitions
    inner join ml.pricing_recommendations as found
        on transitions.company_id = found.company_id and transitions.recommendation_key = found.recommendation_key
    where found.company_id = any(%s) and transitions.to_status in ('accepted', 'rejected', 'expired')
        and transitions.reason is distinct from %s
    group by found.company_id, found.recommended_plan_id
"""
