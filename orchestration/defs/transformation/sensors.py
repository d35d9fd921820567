"""Usage dates whose events changed are rebuilt."""

from datetime import date

import dagster as dg
from psycopg import Connection

from integrations.postgres.usage_dates import dirty_dates, mark_ended, open_calendar
from orchestration import clock, dbt
from orchestration.due import request_runs
from orchestration.partitions import FIRST_USAGE_DATE, contiguous_ranges, range_tags
from orchestration.resources import WarehouseResource

usage_marts_job = dg.define_asset_job(
    "usage_marts_job",
    selection=dg.AssetSelection.assets(*(spec.key for spec in dbt.asset_specs("usage"))),
    description="Rebuild the usage marts over a range of usage dates.",
)


def ranges_due(connection: Connection) -> list[tuple[date, date]]:
    """The contiguous ranges of usage dates whose marts lag behind.

    Raises:
        ValueError: when all that is left lies before the first partition, since no run could ever build it.
    """
    now = clock.now(connection)
    open_calendar(connection, now.date())
    mark_ended(connection, now)
    dates = dirty_dates(connection)
    buildable = [day for day in dates if day >= FIRST_USAGE_DATE]
    if dates and not buildable:
        raise ValueError(
            f"There is usage on {dates[0]}, before the first partition ({FIRST_USAGE_DATE})."
            f" Set FIRST_USAGE_DATE={dates[0]} or earlier and restart."
        )
    return contiguous_ranges(buildable)


@dg.sensor(job=usage_marts_job, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def changed_usage_dates_sensor(
    context: dg.SensorEvaluationContext, db: WarehouseResource
) -> dg.SensorResult | dg.SkipReason:
    """Ask for one run per contiguous range of changed usage dates."""
    with db.connect() as connection:
        ranges = ranges_due(connection)
        due = [f"{first}:{last}" for first, last in ranges]
        return request_runs(context, connection, db.now(), due, [range_tags(*found) for found in ranges])
