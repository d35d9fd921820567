"""A source that falls silent starts no run by itself, so every hour somebody looks."""

import dagster as dg

from orchestration.defs.ingestion.checks import sources_deliver_as_much_as_usual, sources_deliver_as_often_as_usual

source_health_job = dg.define_asset_job(
    "source_health_job",
    selection=dg.AssetSelection.checks(sources_deliver_as_often_as_usual, sources_deliver_as_much_as_usual),
    description="Judge the freshness and the volume of every source of events.",
)
hourly_source_health_schedule = dg.ScheduleDefinition(
    name="hourly_source_health_schedule",
    job=source_health_job,
    cron_schedule="20 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
