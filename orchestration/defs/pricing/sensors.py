"""A company's first fourteen days are over: recommend a plan, once, and tell it."""

from datetime import datetime

import dagster as dg
import pandas as pd
from psycopg import Connection

from orchestration.defs.analysis.sensors import ANALYSIS, MAILS, REPORTING, milestone_runs
from orchestration.recommendations import read_plans, with_current_plan
from orchestration.resources import WarehouseResource

WAIT = (
    "companies are fourteen days old and wait for a plan that can be compared; give them a subscription in their own"
    " currency, or put a trial in it into the catalogue:"
)

day_14_recommendations_job = dg.define_asset_job(
    "day_14_recommendations_job",
    ANALYSIS | REPORTING | MAILS | dg.AssetSelection.assets(["ml", "pricing_recommendations"]),
    description="The recommendations of the companies that are fourteen days old, their mails, and the reports.",
)


@dg.sensor(job=day_14_recommendations_job, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def day_14_recommendations_sensor(
    context: dg.SensorEvaluationContext, db: WarehouseResource
) -> dg.SensorResult | dg.SkipReason:
    """Ask for a recommendation for every company whose first fourteen days are complete and that has none yet.

    Who has no plan that scenarios can be priced with waits until it has one: a run could advise it nothing.
    """

    def with_a_plan(connection: Connection, due: pd.DataFrame, now: datetime) -> pd.DataFrame:
        plans, _ = read_plans(connection)
        has_plan = due["company_id"].isin(with_current_plan(connection, due["company_id"], now, plans)["company_id"])
        if waiting := due.loc[~has_plan, "company_key"].tolist():
            context.log.warning(f"{len(waiting)} {WAIT} {', '.join(waiting[:10])}{' ...' if waiting[10:] else ''}")
        return due[has_plan]

    return milestone_runs(context, db, 14, with_a_plan)
