"""A company's first fourteen days are over: recommend a plan, once, and tell it."""

import dagster as dg

from orchestration.defs.analysis.sensors import ANALYSIS, MAILS, REPORTING, milestone_runs
from orchestration.resources import WarehouseResource

day_14_recommendations_job = dg.define_asset_job(
    "day_14_recommendations_job",
    ANALYSIS | REPORTING | MAILS | dg.AssetSelection.assets(["ml", "pricing_recommendations"]),
    description="The recommendations of the companies that are fourteen days old, their mails, and the reports.",
)


@dg.sensor(job=day_14_recommendations_job, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def day_14_recommendations_sensor(
    context: dg.SensorEvaluationContext, db: WarehouseResource
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a recommendation for every company whose first fourteen days are complete and that has none yet."""
    return milestone_runs(context, db, 14)
