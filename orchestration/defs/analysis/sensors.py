"""A company's first seven days are over: analyse them, once, and tell it."""

from collections.abc import Callable
from datetime import datetime

import dagster as dg
import pandas as pd
from psycopg import Connection

from orchestration import dbt
from orchestration.defs.analysis.assets import ACCURACY, CHARACTERISTICS, FORECASTS, LIMITS, PATTERNS
from orchestration.defs.analysis.signals import ANOMALIES, BENCHMARKS, CHURN_RISKS
from orchestration.due import request_runs
from orchestration.milestones import companies_due, read_companies, usage_dates
from orchestration.partitions import contiguous_ranges, range_tags
from orchestration.resources import NO_MARTS, WarehouseResource, go_live_date, has_marts

Choose = Callable[[Connection, pd.DataFrame, datetime], pd.DataFrame]
ANALYSIS = dg.AssetSelection.assets(PATTERNS, CHARACTERISTICS, FORECASTS, LIMITS)
SIGNALS = dg.AssetSelection.assets(ANOMALIES, BENCHMARKS, CHURN_RISKS)
REPORTING = dg.AssetSelection.assets(*(spec.key for spec in dbt.asset_specs("reporting")))
REVIEWS = dg.AssetSelection.assets(["ml", "recommendation_reviews"])
MAILS = dg.AssetSelection.assets(["messaging", "notifications"])
REFERENCE = dg.AssetSelection.assets(*(spec.key for spec in dbt.asset_specs("reference")))
daily_analysis_job = dg.define_asset_job(
    "daily_analysis_job",
    ANALYSIS | SIGNALS | REVIEWS | MAILS | REFERENCE | REPORTING,
    description="Patterns, characteristics, forecasts and signals as of the end of a usage date; plans that are looked"
    " at again, and mails about them; dimensions, reports.",
)
forecast_accuracy_job = dg.define_asset_job(
    "forecast_accuracy_job",
    dg.AssetSelection.assets(ACCURACY),
    description="A backtest of the forecasts on the months before a usage date's end.",
)
day_7_insights_job = dg.define_asset_job(
    "day_7_insights_job",
    ANALYSIS | MAILS | dg.AssetSelection.assets(["ml", "usage_insights"]),
    description="The first week's insights of the companies that are seven days old, and their mails.",
)


def milestone_runs(
    context: dg.SensorEvaluationContext,
    db: WarehouseResource,
    day: int,
    choose: Choose = lambda _connection, due, _now: due,
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the runs that cover the companies whose day `day` is due, or those that `choose` keeps of them."""
    with db.connect() as connection:
        if not has_marts(connection):
            return NO_MARTS
        now = db.now()
        due = companies_due(read_companies(connection, day, go_live_date(connection)), now, day)
        due = choose(connection, due, now)
        ranges = contiguous_ranges(usage_dates(due))
        names = [f"day-{day}:{key}" for key in due["company_key"]]
        return request_runs(context, connection, now, names, [range_tags(*found) for found in ranges])


@dg.sensor(job=day_7_insights_job, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def day_7_insights_sensor(
    context: dg.SensorEvaluationContext, db: WarehouseResource
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the insights of every company whose first seven days are complete and that has none yet."""
    return milestone_runs(context, db, 7)
