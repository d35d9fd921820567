"""Every company is looked at anew each day."""

from datetime import timedelta

import dagster as dg

from orchestration.defs.analysis.sensors import daily_analysis_job
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
    with db.connect() as connection:
        if not has_marts(connection):
            return NO_MARTS
    yesterday = (db.now() - timedelta(days=1)).date().isoformat()
    return dg.RunRequest(run_key=f"daily-analysis:{yesterday}", partition_key=yesterday)
