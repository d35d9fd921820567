"""Which way of choosing plans has served best so far: judged anew each week by what followed."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from integrations.postgres.warehouse import replace_rows
from ml.evaluation.regret import reliability
from orchestration import plots
from orchestration.choice_lessons import read_choice_lessons
from orchestration.choice_policies import (
    Lessons,
    judge_choices,
    policy_rows,
    regret_markdown,
    reliability_markdown,
    reliability_rows,
    trade_offs,
)
from orchestration.defs.analysis.assets import HISTORY_MARTS, as_of_dates, known_at
from orchestration.defs.analysis.schedules import yesterday_s_run
from orchestration.forecast_inputs import read_lessons
from orchestration.partitions import usage_dates
from orchestration.recommendations import read_plans
from orchestration.resources import WarehouseResource

POLICIES = dg.AssetKey(["ml", "choice_policies"])
RELIABILITY = dg.AssetKey(["ml", "recommendation_reliability"])
LEARNED_FROM = [*HISTORY_MARTS, dg.AssetKey(["raw", "plans"]), dg.AssetKey(["raw", "subscriptions"])]
KINDS = {"numpy", "scikitlearn", "postgres"}
DOMAIN = {"group_name": "pricing", "owners": ["team:data-science"]}


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            POLICIES,
            deps=LEARNED_FROM,
            description="One row per as-of date, currency, product, days of history and segment: how plans are chosen.",
            kinds=KINDS,
            **DOMAIN,
        ),
        dg.AssetSpec(
            RELIABILITY,
            deps=LEARNED_FROM,
            description="One row per as-of date, currency, product, days of history and decile: were the odds honest?",
            kinds=KINDS,
            **DOMAIN,
        ),
    ],
    partitions_def=usage_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def choice_policies(context: dg.AssetExecutionContext, db: WarehouseResource) -> Iterator[dg.MaterializeResult]:
    """Let the ways of choosing plans compete on the months that have followed, each learned from what lay before."""
    known, lessons, counts = known_at(context, db), {}, [0, 0]
    with db.connect() as connection:
        plans, _ = read_plans(connection)
        for at in as_of_dates(context):
            inputs = read_choice_lessons(connection, at, known, read_lessons(connection, at, known))
            lessons = judge_choices(inputs, plans, context.log.info)
            key, stamp = {"as_of": at}, {"as_of": at, "known_at": known}
            counts[0] += replace_rows(connection, "ml.choice_policies", key, policy_rows(lessons, stamp))
            rows = reliability_rows(lessons, stamp)
            counts[1] += replace_rows(connection, "ml.recommendation_reliability", key, rows)
    gates = plots.as_markdown(plots.trade_off_curves(trade_offs(lessons)), "Regret and harm of every gate")
    curve = plots.as_markdown(plots.reliability_curve(_all_reliability(lessons)), "Observed over told probability")
    yield dg.MaterializeResult(
        asset_key=POLICIES,
        metadata={
            "dagster/row_count": counts[0],
            "trade_off": dg.MetadataValue.md(gates),
            "regret": dg.MetadataValue.md(regret_markdown(lessons)),
        },
    )
    yield dg.MaterializeResult(
        asset_key=RELIABILITY,
        metadata={
            "dagster/row_count": counts[1],
            "curve": dg.MetadataValue.md(curve),
            "reliability": dg.MetadataValue.md(reliability_markdown(lessons)),
        },
    )


def _all_reliability(lessons: Lessons) -> pd.DataFrame:
    judged = [one for members in lessons.values() for lesson in members for one in lesson.judged]
    return reliability(judged) if judged else pd.DataFrame()


choice_policies_job = dg.define_asset_job(
    "choice_policies_job",
    dg.AssetSelection.assets(POLICIES, RELIABILITY),
    description="Judge the ways of choosing plans by the months that have followed.",
)


@dg.schedule(
    job=choice_policies_job,
    cron_schedule="0 16 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def weekly_choice_policies_schedule(
    context: dg.ScheduleEvaluationContext, db: WarehouseResource
) -> dg.RunRequest | dg.SkipReason:
    """Judge the ways of choosing plans anew each Monday."""
    return yesterday_s_run(db, "choice-policies")
