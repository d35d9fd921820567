"""What usage says about each company: patterns, characteristics, a projected month, and the first week's insights."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import append_rows, replace_rows
from ml.analysis.insights import find_insights
from orchestration import plots
from orchestration.accuracy import accuracy_table, judge_forecasts
from orchestration.analysis_inputs import AnalysisInputs, as_of, read_analysis, read_heatmap, read_inputs, span
from orchestration.analysis_shards import describe_shard, find_shard_patterns, pooled_hours, shards_of, stamp
from orchestration.dbt import model_key
from orchestration.findings import read_fan, read_findings
from orchestration.forecast_inputs import read_lessons
from orchestration.forecasts import forecast_shard, pooled_models, project
from orchestration.partitions import dates_of, usage_dates
from orchestration.resources import WarehouseResource, known_at
from orchestration.shards import run_shards, total

USAGE_MARTS = [model_key(name) for name in ("fct_usage_hourly", "fct_meter_usage_daily", "dim_companies")]
ACTIVITY_MARTS = [model_key(name) for name in ("int_meter_values", "fct_conversion", "fct_usage_daily")]
HISTORY_MARTS = [
    *(model_key(name) for name in ("fct_meter_usage_daily", "fct_usage_daily", "fct_event_lateness", "dim_companies")),
    dg.AssetKey(["raw", "holidays"]),
]
PATTERNS = dg.AssetKey(["ml", "usage_patterns"])
CHARACTERISTICS = dg.AssetKey(["ml", "business_characteristics"])
FORECASTS = dg.AssetKey(["ml", "usage_forecasts"])
LIMITS = dg.AssetKey(["ml", "limit_forecasts"])
ACCURACY = dg.AssetKey(["ml", "forecast_accuracy"])
KINDS = {"numpy", "postgres"}

DOMAIN: dict[str, Any] = {"group_name": "analysis", "owners": ["team:data-science"]}

ANALYSIS: dict[str, Any] = {
    **DOMAIN,
    "partitions_def": usage_dates,
    "backfill_policy": dg.BackfillPolicy.single_run(),
}


@dg.asset(key=PATTERNS, deps=USAGE_MARTS, kinds={"pandas", "postgres"}, **ANALYSIS)
def usage_patterns(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company, pattern type and as-of date: how its usage of the 14 days before it behaves."""
    dates, known = as_of_dates(context), known_at(context, db)
    shards = shards_of(db.warehouse(), dates, known)
    counts = total(run_shards(find_shard_patterns, shards, context.log.info))
    with db.connect() as connection:
        calls = read_heatmap(connection, span(dates[-1], known))
    heatmap = plots.as_markdown(plots.usage_heatmap(calls), "Calls by weekday and local hour")
    return dg.MaterializeResult(metadata={**row_counts(counts), "heatmap": dg.MetadataValue.md(heatmap)})


@dg.asset(key=CHARACTERISTICS, deps=[*USAGE_MARTS, *ACTIVITY_MARTS], kinds={"pandas", "postgres"}, **ANALYSIS)
def business_characteristics(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company and as-of date: what kind of business its usage looks like."""
    known = known_at(context, db)
    shards = shards_of(db.warehouse(), as_of_dates(context), known, pooled_hours(known))
    counts = total(run_shards(describe_shard, shards, context.log.info))
    return dg.MaterializeResult(metadata=row_counts(counts))


def as_of_dates(context: dg.AssetExecutionContext) -> list[date]:
    """The ends of the usage dates that a run covers."""
    return [as_of(usage_date) for usage_date in dates_of(context)]


def row_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """What shards counted, the rows under the name that Dagster draws."""
    return {"dagster/row_count" if name == "rows" else name: count for name, count in counts.items()}


@dg.multi_asset(
    name="usage_forecasts",
    specs=[
        dg.AssetSpec(
            FORECASTS,
            deps=HISTORY_MARTS,
            description="One row per company, meter and as-of date: the 30 days that follow, and each day to the end of"
            " the next billing period, expected and as quantiles.",
            kinds=KINDS,
            **DOMAIN,
        ),
        dg.AssetSpec(
            LIMITS,
            deps=[*HISTORY_MARTS, ["billing", "rated_usage"]],
            description="One row per company, meter with a limit and as-of date: whether and when it is reached.",
            kinds=KINDS,
            **DOMAIN,
        ),
    ],
    partitions_def=usage_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def usage_forecasts(context: dg.AssetExecutionContext, db: WarehouseResource) -> Iterator[dg.MaterializeResult]:
    """Forecast every meter, and follow the scenarios to the limits of the current period."""
    dates, known = as_of_dates(context), known_at(context, db)
    shards = shards_of(db.warehouse(), dates, known, pooled_models(known))
    counts = total(run_shards(forecast_shard, shards, context.log.info))
    limits = counts.pop("limits")
    with db.connect() as connection:
        fan = read_fan(connection, dates[-1], known)
    shown = {"forecast": dg.MetadataValue.md(plots.as_markdown(plots.forecast_fan(*fan), fan[-1]))} if fan else {}
    yield dg.MaterializeResult(asset_key=FORECASTS, metadata={**row_counts(counts), **shown})
    yield dg.MaterializeResult(asset_key=LIMITS, metadata={"dagster/row_count": limits})


@dg.asset(key=ACCURACY, deps=HISTORY_MARTS, kinds={"numpy", "scikitlearn", "postgres"}, **ANALYSIS)
def forecast_accuracy(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per as-of date, meter, segment, days of history and model: how far it was off in the months before."""
    count, found, known = 0, pd.DataFrame(), known_at(context, db)
    with db.connect() as connection:
        for at in as_of_dates(context):
            found = judge_forecasts(read_lessons(connection, at, known), context.log.info)
            rows = found.assign(as_of=at, known_at=known).to_dict("records")
            count += replace_rows(connection, "ml.forecast_accuracy", {"as_of": at}, rows)
    metadata: dict[str, Any] = {"dagster/row_count": count}
    if not found.empty:
        bars = plots.as_markdown(plots.accuracy_bars(found), "Error by days of history and model")
        metadata |= {"error": dg.MetadataValue.md(bars), "figures": dg.MetadataValue.md(accuracy_table(found))}
    return dg.MaterializeResult(metadata=metadata)


@dg.asset(
    key=["ml", "usage_insights"],
    deps=[PATTERNS, CHARACTERISTICS, FORECASTS, LIMITS, dg.AssetKey(["ml", "usage_anomalies"])],
    kinds={"pandas", "postgres"},
    **ANALYSIS,
)
def usage_insights(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company whose first seven days are over: what is worth telling it. Written once."""
    count, known = 0, known_at(context, db)
    with db.connect() as connection:
        for usage_date in dates_of(context):
            inputs = read_inputs(connection, as_of(usage_date), known)
            count += append_rows(connection, "ml.usage_insights", insight_rows(connection, inputs))
    return dg.MaterializeResult(metadata={"dagster/row_count": count})


def insight_rows(connection: Connection, inputs: AnalysisInputs, day: int = 7) -> list[dict[str, Any]]:
    """The insights of the companies whose day `day` begins at the inputs' as-of date."""
    ids = list(milestone_companies(connection, inputs.as_of, day))
    patterns, characteristics = read_analysis(connection, inputs.as_of, ids)
    if characteristics.empty:
        return []
    projection = project(connection, inputs.as_of, inputs.known_at, ids)
    noticed = read_findings(connection, inputs.as_of, ids)
    found = find_insights(patterns, characteristics, projection, **noticed)
    totals = inputs.meter_daily.pivot_table(index="company_id", columns="meter", values="quantity", aggfunc="sum")
    return [
        {
            **row,
            "milestone_day": day,
            "totals": totals.loc[row["company_id"]].fillna(0).to_dict() if row["company_id"] in totals.index else {},
            "generated_at": inputs.known_at,
        }
        for row in stamp(found, inputs.windows, inputs.as_of, inputs.known_at)
    ]


def milestone_companies(connection: Connection, at: date, day: int) -> dict[int, str]:
    """The companies, id and key, that become `day` days old at a date."""
    rows = connection.execute(
        "select company_id, company_key from marts.dim_companies where activated_on + %s = %s order by company_id",
        [day, at],
    )
    return dict(rows.fetchall())
