"""What usage says about each company: patterns, characteristics, a projected month, and the first week's insights."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import append_rows, replace_rows
from ml.analysis.characteristics import describe_companies
from ml.analysis.insights import find_insights
from ml.analysis.patterns import find_patterns
from ml.analysis.projection import Projection, project_usage
from orchestration.analysis_inputs import AnalysisInputs, as_of, read_activity, read_analysis, read_inputs
from orchestration.dbt import model_key
from orchestration.partitions import dates_of, usage_dates
from orchestration.resources import WarehouseResource

VALID_FOR = timedelta(days=7)
USAGE_MARTS = [model_key(name) for name in ("fct_usage_hourly", "fct_meter_usage_daily", "dim_companies")]
ACTIVITY_MARTS = [model_key(name) for name in ("int_meter_values", "fct_conversion", "fct_usage_daily")]
PATTERNS = dg.AssetKey(["ml", "usage_patterns"])
CHARACTERISTICS = dg.AssetKey(["ml", "business_characteristics"])
FORECASTS = dg.AssetKey(["ml", "usage_forecasts"])

ANALYSIS: dict[str, Any] = {
    "group_name": "analysis",
    "owners": ["team:data-science"],
    "partitions_def": usage_dates,
    "backfill_policy": dg.BackfillPolicy.single_run(),
}


def stamp(frame: pd.DataFrame, inputs: AnalysisInputs) -> list[dict[str, Any]]:
    """Rows with the window that they speak about and the times that they stand for."""
    rows = frame.merge(inputs.windows, on="company_id").to_dict("records")
    return [{**row, "as_of": inputs.as_of, "known_at": inputs.known_at} for row in rows]


def project(inputs: AnalysisInputs) -> Projection:
    """The scenario paths of the coming month: reproducible from the inputs, so nobody needs to store them."""
    return project_usage(inputs.meter_daily, inputs.windows)


@dg.asset(key=PATTERNS, deps=USAGE_MARTS, kinds={"pandas", "postgres"}, **ANALYSIS)
def usage_patterns(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company, pattern type and as-of date: how its usage of the 14 days before it behaves."""
    count = 0
    with db.connect() as connection:
        for usage_date in dates_of(context):
            inputs = read_inputs(connection, as_of(usage_date), db.now())
            patterns = find_patterns(inputs.hourly, inputs.windows).assign(
                detected_at=inputs.known_at, valid_until=inputs.known_at + VALID_FOR
            )
            count += replace_rows(connection, "ml.usage_patterns", {"as_of": inputs.as_of}, stamp(patterns, inputs))
    return dg.MaterializeResult(metadata={"dagster/row_count": count})


@dg.asset(key=CHARACTERISTICS, deps=[*USAGE_MARTS, *ACTIVITY_MARTS], kinds={"pandas", "postgres"}, **ANALYSIS)
def business_characteristics(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company and as-of date: what kind of business its usage looks like."""
    count = 0
    with db.connect() as connection:
        for usage_date in dates_of(context):
            inputs = read_inputs(connection, as_of(usage_date), db.now())
            activity = read_activity(connection, inputs)
            rows = stamp(describe_companies(inputs.hourly, inputs.windows, activity), inputs)
            count += replace_rows(connection, "ml.business_characteristics", {"as_of": inputs.as_of}, rows)
    return dg.MaterializeResult(metadata={"dagster/row_count": count})


@dg.asset(key=FORECASTS, deps=USAGE_MARTS, kinds={"pandas", "postgres"}, **ANALYSIS)
def usage_forecasts(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company, meter and as-of date: its usage in the 30 days that follow, expected and as a range."""
    count = 0
    with db.connect() as connection:
        for usage_date in dates_of(context):
            inputs = read_inputs(connection, as_of(usage_date), db.now())
            rows = forecast_rows(project(inputs), inputs)
            count += replace_rows(connection, "ml.usage_forecasts", {"as_of": inputs.as_of}, rows)
    return dg.MaterializeResult(metadata={"dagster/row_count": count})


def forecast_rows(projection: Projection, inputs: AnalysisInputs) -> list[dict[str, Any]]:
    """The stored summary of a projection."""
    names = {"expected": "expected_quantity", "p10": "p10_quantity", "p90": "p90_quantity"}
    kept = projection.summary()[["company_id", "meter", "horizon_days", *names]].rename(columns=names)
    return [{**row, "as_of": inputs.as_of, "known_at": inputs.known_at} for row in kept.to_dict("records")]


@dg.asset(
    key=["ml", "usage_insights"],
    deps=[PATTERNS, CHARACTERISTICS, FORECASTS],
    kinds={"pandas", "postgres"},
    **ANALYSIS,
)
def usage_insights(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company whose first seven days are over: what is worth telling it. Written once."""
    count = 0
    with db.connect() as connection:
        for usage_date in dates_of(context):
            inputs = read_inputs(connection, as_of(usage_date), db.now())
            count += append_rows(connection, "ml.usage_insights", insight_rows(connection, inputs))
    return dg.MaterializeResult(metadata={"dagster/row_count": count})


def insight_rows(connection: Connection, inputs: AnalysisInputs, day: int = 7) -> list[dict[str, Any]]:
    """The insights of the companies whose day `day` begins at the inputs' as-of date."""
    ids = milestone_companies(connection, inputs, day)
    patterns, characteristics = read_analysis(connection, inputs.as_of, ids)
    if characteristics.empty:
        return []
    found = find_insights(patterns, characteristics, project(inputs))
    totals = inputs.meter_daily.pivot_table(index="company_id", columns="meter", values="quantity", aggfunc="sum")
    return [
        {
            **row,
            "milestone_day": day,
            "totals": totals.loc[row["company_id"]].fillna(0).to_dict() if row["company_id"] in totals.index else {},
            "generated_at": inputs.known_at,
        }
        for row in stamp(found, inputs)
    ]


def milestone_companies(connection: Connection, inputs: AnalysisInputs, day: int) -> list[int]:
    """The companies that become `day` days old at the as-of date."""
    rows = connection.execute(
        "select company_id from marts.dim_companies where activated_on + %s = %s order by company_id",
        [day, inputs.as_of],
    )
    return [row[0] for row in rows]
