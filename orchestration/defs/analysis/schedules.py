"""Every company is looked at anew each day."""

from datetime import timedelta

import dagster as dg

from orchestration.defs.analysis.sensors import daily_analysis_job, forecast_accuracy_job
from orchestration.resources import NO_MARTS, WarehouseResource, has_marts


@dg.schedule(
    job=daily_analysis_job,
    cron_schedule="0 13 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_analysis_schedule(
    context: dg.ScheduleEvaluationContext, db: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """Analyse yesterday, at an hour at which it has ended everywhere on earth."""
    return yesterday_s_run(db, "daily-analysis")


@dg.schedule(
    job=forecast_accuracy_job,
    cron_schedule="0 15 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def weekly_accuracy_schedule(
    context: dg.ScheduleEvaluationContext, db: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """Judge the forecasts anew each Monday."""
    return yesterday_s_run(db, "forecast-accuracy")


def yesterday_s_run(db: WarehouseResource, name: str) -> dg.RunRequest | dg.SkipReason:
    """The run of yesterday's partition, once there are marts."""
    with db.connect() as connection:
        if not has_marts(connection):
            return NO_MARTS
    yesterday = (db.now() - timedelta(days=1)).date().isoformat()
    return dg.RunRequest(run_key=f"{name}:{yesterday}", partition_key=yesterday)
