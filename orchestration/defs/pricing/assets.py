"""Which plan fits a company best, from its first 14 days on."""

import dagster as dg

from integrations.postgres.warehouse import append_rows
from ml.recommendation.recommend_all import recommend_companies
from orchestration.analysis_inputs import as_of, read_analysis, read_inputs
from orchestration.defs.analysis.assets import CHARACTERISTICS, FORECASTS, LIMITS, PATTERNS, milestone_companies
from orchestration.findings import read_findings
from orchestration.forecasts import project
from orchestration.partitions import dates_of, usage_dates
from orchestration.recommendations import read_plans, recommendation_rows, with_current_plan
from orchestration.resources import WarehouseResource

RECOMMENDATIONS = dg.AssetKey(["ml", "pricing_recommendations"])


@dg.asset(
    key=RECOMMENDATIONS,
    deps=[
        PATTERNS,
        CHARACTERISTICS,
        FORECASTS,
        LIMITS,
        dg.AssetKey(["ml", "usage_anomalies"]),
        dg.AssetKey(["raw", "plans"]),
        dg.AssetKey(["raw", "subscriptions"]),
    ],
    group_name="pricing",
    owners=["team:data-science"],
    kinds={"numpy", "postgres"},
    partitions_def=usage_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def pricing_recommendations(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company and occasion: the plan it is advised, how sure that is, and why. Written once."""
    count, not_advised = 0, []
    with db.connect() as connection:
        plans, plan_ids = read_plans(connection)
        for usage_date in dates_of(context):
            inputs = read_inputs(connection, as_of(usage_date), db.now())
            ids = milestone_companies(connection, inputs, 14)
            companies = with_current_plan(connection, ids, inputs.known_at, plans)
            not_advised += sorted(set(ids) - set(companies["company_id"]))
            if companies.empty:
                continue
            advised = companies["company_id"].tolist()
            patterns, characteristics = read_analysis(connection, inputs.as_of, advised)
            projection = project(connection, inputs.as_of, inputs.known_at, advised)
            noticed = read_findings(connection, inputs.as_of, advised)
            found = recommend_companies(companies, characteristics, patterns, projection, plans, noticed=noticed)
            keys = dict(connection.execute("select company_id, company_key from raw.company_ids").fetchall())
            rows = recommendation_rows(found, inputs, keys, plan_ids)
            count += append_rows(connection, "ml.pricing_recommendations", rows)
    return dg.MaterializeResult(
        metadata={"dagster/row_count": count, "companies_not_advised": ", ".join(map(str, not_advised)) or "none"}
    )
