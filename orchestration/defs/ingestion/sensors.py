"""A file that lands is loaded."""

import dagster as dg

from integrations.events.landing import pending_files
from integrations.events.landing_zones import landing_zone
from orchestration import dbt, paths
from orchestration.defs.ingestion.assets import feed_key
from orchestration.due import request_runs
from orchestration.resources import WarehouseResource

ingestion_job = dg.define_asset_job(
    "ingestion_job",
    selection=dg.AssetSelection.groups("ingestion")
    | dg.AssetSelection.assets(*(spec.key for spec in dbt.asset_specs("reference"))),
    description="Load every file that waits in the landing folder.",
)


@dg.sensor(job=ingestion_job, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def landing_files_sensor(context: dg.SensorEvaluationContext, db: WarehouseResource) -> dg.SensorResult | dg.SkipReason:
    """Ask for one run when files wait; a zone that can't be read is an error, not an empty one."""
    with db.connect() as connection:
        waiting = pending_files(connection, landing_zone(paths.landing()).files())
        due = [
            f"{feed_key(file.feed).to_user_string()}:{file.name}:{file.state().modified_at.isoformat()}"
            for file in waiting
        ]
        return request_runs(context, connection, db.now(), due)
