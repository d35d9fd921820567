"""Rated usage and the usage reported to the payment provider are kept equal."""

import dagster as dg

from orchestration import dbt
from orchestration.defs.billing.assets import METER_EVENTS, RATED_USAGE
from orchestration.due import request_runs
from orchestration.rating.periods import periods_due
from orchestration.resources import NO_MARTS, WarehouseResource, has_marts

STATEMENTS = dg.AssetSelection.assets(*(spec.key for spec in dbt.asset_specs("rated")))
billing_sync_job = dg.define_asset_job(
    "billing_sync_job",
    selection=dg.AssetSelection.assets(RATED_USAGE, METER_EVENTS) | STATEMENTS,
    description="Rate what changed, plan the meter events, submit them, and renew what shows lines and statements.",
)

UNSENT = """
    select meter_event_key from billing.meter_events where state in ('planned', 'sending')
    order by meter_event_key limit 1000
"""


@dg.sensor(job=billing_sync_job, minimum_interval_seconds=300, default_status=dg.DefaultSensorStatus.RUNNING)
def billing_sync_sensor(context: dg.SensorEvaluationContext, db: WarehouseResource) -> dg.SensorResult | dg.SkipReason:
    """Ask for a sync when usage was not rated, or was rated and not submitted."""
    with db.connect() as connection:
        if not has_marts(connection):
            return NO_MARTS
        now = db.now()
        due = [
            f"{one.company_id}:{one.usage_period}:{one.usage_signature}:{one.terms_signature}"
            for one in periods_due(connection, now)
        ]
        due += [row[0] for row in connection.execute(UNSENT)]
        return request_runs(context, connection, now, due)
