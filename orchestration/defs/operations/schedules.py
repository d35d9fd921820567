"""Old months leave the raw tables by themselves."""

import dagster as dg

from orchestration.defs.operations.jobs import retention_job

daily_retention_schedule = dg.ScheduleDefinition(
    name="daily_retention_schedule",
    job=retention_job,
    cron_schedule="30 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
