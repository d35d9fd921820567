"""What goes wrong is told to the operators, once."""

import dagster as dg

from integrations.messaging.alerts import failed_run
from orchestration.alerts import load_alerts, tell
from orchestration.resources import WarehouseResource


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING)
def run_failure_alert_sensor(context: dg.RunFailureSensorContext, db: WarehouseResource) -> None:
    """Raise a critical alert for each run that failed, of whichever job."""
    run = context.dagster_run
    with db.connect() as connection:
        tell(connection, [failed_run(run.job_name, run.run_id, _why(context))], db.now())


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def load_alert_sensor(db: WarehouseResource) -> dg.SkipReason:
    """Raise an alert for each load that failed or waits, and for each five minutes in which too much went wrong."""
    with db.connect() as connection:
        now = db.now()
        count = tell(connection, load_alerts(connection, now), now)
    return dg.SkipReason(f"{count} new alerts.")


def _why(context: dg.RunFailureSensorContext) -> str:
    """What Dagster says of the run, and the error of each step that failed."""
    errors = {event.step_key: event.step_failure_data.error for event in context.get_step_failure_events()}
    steps = [f"{step}: {(error.cause or error).message.strip()}" for step, error in errors.items() if error]
    return "\n".join([context.failure_event.message or "No reason was recorded.", *steps])
