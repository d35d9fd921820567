"""Between the recommendation engine and its table: plans in, rows out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame
from ml.rating.plan import Plan
from ml.recommendation.choice import Recommendation
from ml.recommendation.options import is_simulable, plan_id

VALID_FOR = timedelta(days=30)
PlanIds = Mapping[tuple[str, int], int]


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
    """Companies with currency, plan_key and plan_version of the subscription valid at `at`.

    A company without one is on the newest trial of its currency; without such a trial it is left out, like one whose
    plan is in another currency than its own, or can't be simulated.
    """
    companies = read_frame(
        connection,
        """
        select distinct on (companies.company_id)
            companies.company_id, companies.currency, subscriptions.plan_key, subscriptions.plan_version
        from marts.dim_companies as companies
        left join raw.subscriptions as subscriptions
            on companies.company_id = subscriptions.company_id
            and subscriptions.valid_from <= %(at)s and subscriptions.received_at <= %(at)s
        where companies.company_id = any(%(ids)s)
        order by companies.company_id asc, subscriptions.valid_from desc nulls last, subscriptions.received_at desc
        """,
        {"at": at, "ids": list(company_ids)},
    )
    trials = {plan.currency: plan_id(plan) for plan in sorted(plans, key=plan_id) if plan.is_trial}
    rows = [
        row
        if row["plan_key"]
        else {**row, **dict(zip(("plan_key", "plan_version"), trials[row["currency"]], strict=True))}
        for row in companies.to_dict("records")
        if row["plan_key"] or row["currency"] in trials
    ]
    simulable = {plan_id(plan): plan.currency for plan in plans if is_simulable(plan)}
    rows = [row for row in rows if simulable.get((row["plan_key"], row["plan_version"])) == row["currency"]]
    columns = ["company_id", "currency", "plan_key", "plan_version"]
    return pd.DataFrame(rows, columns=columns).astype({"company_id": "int64", "plan_version": "int64"})


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
