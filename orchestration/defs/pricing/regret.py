"""What recommendations came to: replayed each week on the usage that followed."""

import dagster as dg

from orchestration.dbt import model_key
from orchestration.defs.analysis.sensors import REPORTING
from orchestration.defs.pricing.assets import RECOMMENDATIONS, REVIEWS
from orchestration.regret import replay_all, store
from orchestration.regret_shown import shown
from orchestration.resources import NO_MARTS, WarehouseResource, has_marts

REGRET = dg.AssetKey(["ml", "recommendation_regret"])
REPLAYED = [
    RECOMMENDATIONS,
    REVIEWS,
    *(model_key(name) for name in ("fct_usage_daily", "fct_meter_usage_daily", "fct_event_lateness")),
    dg.AssetKey(["raw", "plans"]),
]


@dg.asset(key=REGRET, deps=REPLAYED, group_name="pricing", owners=["team:data-science"], kinds={"numpy", "postgres"})
def recommendation_regret(db: WarehouseResource) -> dg.MaterializeResult:
    """One row per recommendation whose 30 days are over: what they cost as advised, kept, and with the best plan."""
    with db.connect() as connection:
        now = db.now()
        replayed = replay_all(connection, now)
        count = store(connection, replayed, now)
    return dg.MaterializeResult(metadata={"dagster/row_count": count, **shown(replayed)})


recommendation_regret_job = dg.define_asset_job(
    "recommendation_regret_job",
    dg.AssetSelection.assets(REGRET) | REPORTING,
    description="Past recommendations replayed on the usage that followed, and the reports that tell it.",
)


@dg.schedule(
    job=recommendation_regret_job,
    cron_schedule="30 15 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def weekly_regret_schedule(db: WarehouseResource) -> dg.RunRequest | dg.SkipReason:
    """Replay recommendations each Monday, after the forecasts were judged."""
    with db.connect() as connection:
        if not has_marts(connection):
            return NO_MARTS
    return dg.RunRequest(run_key=f"recommendation-regret:{db.now().date()}")
