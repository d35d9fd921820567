"""Which plan fits a company best: after its first 14 days, and whenever it is looked at again."""

from collections import Counter
from typing import Any

import dagster as dg

from orchestration.advice import advise
from orchestration.analysis_inputs import as_of
from orchestration.dbt import model_key
from orchestration.defs.analysis.assets import CHARACTERISTICS, FORECASTS, LIMITS, PATTERNS, milestone_companies
from orchestration.lifecycle import expire, publish
from orchestration.partitions import dates_of, usage_dates
from orchestration.recommendations import Occasion
from orchestration.resources import WarehouseResource, go_live_date
from orchestration.reviews import review

RECOMMENDATIONS = dg.AssetKey(["ml", "pricing_recommendations"])
REVIEWS = dg.AssetKey(["ml", "recommendation_reviews"])
ENGINE_INPUTS = [
    PATTERNS,
    CHARACTERISTICS,
    FORECASTS,
    LIMITS,
    dg.AssetKey(["ml", "usage_anomalies"]),
    dg.AssetKey(["ml", "choice_policies"]),
    dg.AssetKey(["raw", "plans"]),
    dg.AssetKey(["raw", "subscriptions"]),
]
USED_MARTS = [model_key(name) for name in ("dim_companies", "fct_meter_usage_daily", "fct_usage_daily")]

PRICING: dict[str, Any] = {
    "group_name": "pricing",
    "owners": ["team:data-science"],
    "kinds": {"numpy", "postgres"},
    "partitions_def": usage_dates,
    "backfill_policy": dg.BackfillPolicy.single_run(),
}


@dg.asset(key=RECOMMENDATIONS, deps=ENGINE_INPUTS, **PRICING)
def pricing_recommendations(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company and occasion: the plan it is advised, how sure that is, and why. Written once."""
    count, not_advised = 0, []
    with db.connect() as connection:
        for usage_date in dates_of(context):
            at, now = as_of(usage_date), db.now()
            companies = milestone_companies(connection, at, 14)
            occasions = {company_id: Occasion.day_14(key) for company_id, key in companies.items()}
            advice = advise(connection, at, now, occasions)
            not_advised += sorted(companies.keys() - {row["company_id"] for row in advice.rows})
            count += publish(connection, advice.rows, now, advice.contents)
    return dg.MaterializeResult(
        metadata={"dagster/row_count": count, "companies_not_advised": ", ".join(map(str, not_advised)) or "none"}
    )


@dg.asset(key=REVIEWS, deps=[RECOMMENDATIONS, *ENGINE_INPUTS, *USED_MARTS], **PRICING)
def recommendation_reviews(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company and as-of date of another look at its plan; recommends what is new, ends what is too old."""
    outcomes: Counter[str] = Counter()
    with db.connect() as connection:
        now = db.now()
        expired = expire(connection, now)
        for usage_date in dates_of(context):
            outcomes += review(connection, as_of(usage_date), now, go_live_date(connection))
    return dg.MaterializeResult(metadata={"dagster/row_count": outcomes.total(), **outcomes, "expired": expired})
