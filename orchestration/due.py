"""Ask for a run of what is due: once at a time, again after a failure, and never for ever at full speed."""

from datetime import datetime, timedelta
from hashlib import sha256

import dagster as dg
from psycopg import Connection

SENSOR_TAG = "usage_pricing/sensor"
LONGEST_PAUSE = timedelta(hours=1)
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def due_key(due: list[str]) -> str:
    """A short name of a set of due things, whatever their order."""
    return sha256("\n".join(sorted(due)).encode()).hexdigest()[:16]


def may_try(attempts: int, last_attempt_at: datetime | None, now: datetime) -> bool:
    """Tell whether another attempt is fair: the first retry at once, then after 1, 2, 4, ... minutes, up to an hour."""
    if attempts < 2 or last_attempt_at is None:
        return True
    pause = min(timedelta(minutes=2 ** min(attempts - 2, 10)), LONGEST_PAUSE)
    return now - last_attempt_at >= pause


def request_runs(
    context: dg.SensorEvaluationContext,
    connection: Connection,
    now: datetime,
    due: list[str],
    tag_sets: list[dict[str, str]] | None = None,
) -> dg.SensorResult | dg.SkipReason:
    """Ask for the runs that cover `due`, unless a run of this sensor is under way.

    The run key is made of the due set and the attempt, which is kept in the database: the same set is asked for again
    only after its run came to an end without doing the work.

    Args:
        context: of the sensor.
        connection: to the warehouse.
        now: the instant of the tick.
        due: names of what is due; empty means nothing.
        tag_sets: one run per element, with these tags; by default a single run without tags.
    """
    sensor = context.sensor_name
    if not due:
        return dg.SkipReason("Nothing is due.")
    if _is_under_way(context.instance, sensor):
        return dg.SkipReason(f"{len(due)} due; a run of this sensor is under way.")
    key = due_key(due)
    row = connection.execute(
        "select attempts, last_attempt_at from ops.run_attempts where sensor = %s and due_key = %s", [sensor, key]
    ).fetchone()
    attempts, last = row or (0, None)
    if not may_try(attempts, last, now):
        return dg.SkipReason(f"{len(due)} due; attempt {attempts} failed, the next one waits a little.")
    connection.execute(
        """
        insert into ops.run_attempts (sensor, due_key, attempts, last_attempt_at) values (%s, %s, 1, %s)
        on conflict (sensor, due_key) do update
        set attempts = run_attempts.attempts + 1, last_attempt_at = excluded.last_attempt_at
        """,
        [sensor, key, now],
    )
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=f"{sensor}:{key}:{attempts + 1}:{number}", tags={SENSOR_TAG: sensor, **tags})
            for number, tags in enumerate(tag_sets or [{}])
        ]
    )


def _is_under_way(instance: dg.DagsterInstance, sensor: str) -> bool:
    return bool(instance.get_runs(dg.RunsFilter(tags={SENSOR_TAG: sensor}, statuses=UNFINISHED), limit=1))
