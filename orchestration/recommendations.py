"""Between the recommendation engine and its table: plans in, rows out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame
from ml.rating.plan import Plan
from ml.recommendation.choice import Recommendation
from ml.recommendation.options import is_simulable, plan_id
from orchestration.analysis_inputs import AnalysisInputs

VALID_FOR = timedelta(days=30)
PlanIds = Mapping[tuple[str, int], int]


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


def recommendation_rows(
    recommendations: Iterable[Recommendation], inputs: AnalysisInputs, keys: Mapping[int, str], plan_ids: PlanIds
) -> list[dict[str, Any]]:
    """Rows of `ml.pricing_recommendations`, with the input series from which each can be computed again."""
    return [_row(found, inputs, keys[found.company_id], plan_ids) for found in recommendations]


def _row(found: Recommendation, inputs: AnalysisInputs, company_key: str, plan_ids: PlanIds) -> dict[str, Any]:
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
        "recommendation_key": f"day-14:{company_key}",
        "recommendation_type": "initial",
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
        "as_of": inputs.as_of,
        "known_at": inputs.known_at,
        "input_series": _series(inputs, found.company_id),
        "generated_at": inputs.known_at,
        "expires_at": inputs.known_at + VALID_FOR,
    }


def _series(inputs: AnalysisInputs, company_id: int) -> dict[str, Any]:
    """The company's daily quantities, as they were read."""
    own = inputs.meter_daily[inputs.meter_daily["company_id"] == company_id]
    window = inputs.windows[inputs.windows["company_id"] == company_id].iloc[0]
    return {
        "window_start": window["window_start"].date().isoformat(),
        "window_end": window["window_end"].date().isoformat(),
        "meters": {
            str(meter): {row.usage_date.date().isoformat(): row.quantity for row in rows.itertuples()}
            for meter, rows in own.groupby("meter")
        },
    }
