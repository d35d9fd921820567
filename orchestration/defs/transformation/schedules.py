"""Marts are never older than an hour, even when a sensor is switched off."""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.transformation.sensors import ranges_due, usage_marts_job
from orchestration.partitions import range_tags
from orchestration.resources import WarehouseResource


@dg.schedule(
    job=usage_marts_job,
    cron_schedule="5 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def hourly_usage_marts_schedule(
    context: dg.ScheduleEvaluationContext, db: WarehouseResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Rebuild whatever has changed, and open the calendar to today."""
    with db.connect() as connection:
        ranges = ranges_due(connection)
    if not ranges:
        yield dg.SkipReason("All usage dates are built.")
    for first, last in ranges:
        yield dg.RunRequest(
            run_key=f"{context.scheduled_execution_time:%Y-%m-%dT%H}:{first}", tags=range_tags(first, last)
        )
