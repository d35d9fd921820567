"""Between the recommendation engine and its table: plans in, rows out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame
from ml.rating.contract import Contract, Overrides
from ml.rating.limits import get_available_features
from ml.rating.plan import Plan
from ml.recommendation.choice import Recommendation
from ml.recommendation.options import is_simulable, plan_id
from ml.recommendation.recommend_all import COMPANY_COLUMNS

VALID_FOR = timedelta(days=30)
PlanIds = Mapping[tuple[str, int], int]
CURRENT = """
    select distinct on (companies.company_id)
        companies.company_id, companies.currency, subscriptions.plan_key, subscriptions.plan_version,
        subscriptions.add_ons, subscriptions.overrides
    from marts.dim_companies as companies
    left join raw.subscriptions as subscriptions
        on companies.company_id = subscriptions.company_id
        and subscriptions.valid_from <= %(at)s and subscriptions.received_at <= %(at)s
    where companies.company_id = any(%(ids)s)
    order by companies.company_id asc, subscriptions.valid_from desc nulls last, subscriptions.received_at desc
"""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why a company is advised: the key is made of facts, so that advice comes once however often it is computed."""

    key: str
    type: str

    @classmethod
    def day_14(cls, company_key: str) -> "Occasion":
        """The first fourteen days are over."""
        return cls(f"day-14:{company_key}", "initial")

    @classmethod
    def review(cls, why: str, at: date, company_key: str) -> "Occasion":
        """The plan is looked at again, since a `week` is over or since its `usage` has left the range."""
        return cls(f"{why}:{at}:{company_key}", "adjustment" if why == "usage" else "optimization")


def read_plans(connection: Connection) -> tuple[list[Plan], dict[tuple[str, int], int]]:
    """Every version in the catalogue, and the id of each."""
    rows = connection.execute("select plan_id, terms from raw.plans order by plan_key, version").fetchall()
    plans = [Plan.model_validate(terms) for _, terms in rows]
    return plans, {plan_id(plan): row[0] for plan, row in zip(plans, rows, strict=True)}


def with_current_plan(
    connection: Connection, company_ids: Iterable[int], at: datetime, plans: Sequence[Plan]
) -> pd.DataFrame:
    """Companies with currency, plan_key and plan_version of the subscription valid at `at`, and the features that they
    have agreed beside the plan.

    A company without one is on the newest trial of its currency; without such a trial it is left out, like one whose
    plan is in another currency than its own, or can't be simulated.
    """
    companies = read_frame(connection, CURRENT, {"at": at, "ids": list(company_ids)})
    by_id = {plan_id(plan): plan for plan in plans}
    trials = {plan.currency: plan_id(plan) for plan in sorted(plans, key=plan_id) if plan.is_trial}
    rows = [
        row
        if row["plan_key"]
        else {**row, **dict(zip(("plan_key", "plan_version"), trials[row["currency"]], strict=True))}
        for row in companies.to_dict("records")
        if row["plan_key"] or row["currency"] in trials
    ]
    simulable = {plan_id(plan): plan.currency for plan in plans if is_simulable(plan)}
    found = [
        {name: row[name] for name in COMPANY_COLUMNS}
        | {"features": features_beside(by_id[row["plan_key"], row["plan_version"]], row["add_ons"], row["overrides"])}
        for row in rows
        if simulable.get((row["plan_key"], row["plan_version"])) == row["currency"]
    ]
    columns = [*COMPANY_COLUMNS, "features"]
    return pd.DataFrame(found, columns=columns).astype({"company_id": "int64", "plan_version": "int64"})


def features_beside(plan: Plan, add_ons: Mapping[str, int] | None, overrides: Mapping[str, Any] | None) -> list[str]:
    """The features that booked add-ons and terms of a company's own grant it and the plan alone does not."""
    contract = Contract(plan, add_ons=add_ons or {}, overrides=Overrides.model_validate(overrides or {}))
    return sorted({*get_available_features(contract)} - {*get_available_features(plan)})


def recommendation_row(found: Recommendation, occasion: Occasion, plan_ids: PlanIds) -> dict[str, Any]:
    """A row of `ml.pricing_recommendations`, but for what it was computed from and when."""
    costs = {(o["plan_key"], o["plan_version"]): o["expected_cost"] for o in found.reasoning["options"]}
    alternatives = [
        {
            "plan_key": plan.plan_key,
            "plan_version": plan.version,
            "name": plan.name,
            "expected_cost": costs[plan_id(plan)],
        }
        for plan in found.alternatives
    ]
    return {
        "company_id": found.company_id,
        "recommendation_key": occasion.key,
        "recommendation_type": occasion.type,
        "action": found.action,
        "current_plan_id": plan_ids[plan_id(found.current_plan)],
        "recommended_plan_id": plan_ids[plan_id(found.recommended_plan)],
        "alternatives": alternatives,
        "custom_pricing": found.custom_pricing,
        "reasoning": found.reasoning,
        "confidence_score": found.confidence,
        "projected_savings": found.projected_savings,
        "projected_revenue_impact": found.projected_revenue_impact,
        "currency": found.currency,
    }
