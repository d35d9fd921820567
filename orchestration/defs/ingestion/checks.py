"""The guard at the raw boundary: what was loaded is as it must be, no load waits, and every source delivers."""

from datetime import timedelta

import dagster as dg
import pandas as pd

from integrations.expectations.rules import Suite
from integrations.expectations.source_health import (
    ACTIVITY,
    DAYS_READ,
    as_table,
    is_unusual,
    judge_freshness,
    judge_volume,
)
from integrations.expectations.suites import FEED_SUITES, LOADS
from integrations.expectations.validation import Outcome, validate
from orchestration.defs.ingestion.assets import RAW_EVENTS, feed_key
from orchestration.resources import WarehouseResource

UNCHECKED = """
    select load_id, usage_dates from raw.loads
    where feed = %s and status = 'published' and not is_checked order by load_id
"""


@dg.asset_check(
    asset=RAW_EVENTS, blocking=True, description="No load of events waits for its release, and all could be read."
)
def no_load_is_held(db: WarehouseResource) -> dg.AssetCheckResult:
    """Report loads above the threshold: their events are in no mart until somebody releases them."""
    warehouse = db.warehouse()
    outcome = validate(LOADS, warehouse.url)
    waiting = warehouse.read(
        "select load_id, file_name, status, message from raw.loads"
        " where feed = 'events' and status in ('held', 'failed') order by load_id"
    )
    lines = "\n".join(
        f"- load {row.load_id} ({row.status}), {row.file_name}: {row.message}" for row in waiting.itertuples()
    )
    hint = "\n\nLook at `usage-pricing loads list`, then release or discard." if lines else ""
    return _result(outcome, {"loads": dg.MetadataValue.md((lines or "none") + hint)})


@dg.asset_check(
    asset=RAW_EVENTS,
    description="No source of events is silent for longer than twice its usual gap (95th percentile), or 26 hours.",
)
def sources_deliver_as_often_as_usual(db: WarehouseResource) -> dg.AssetCheckResult:
    """Warn of a source that is silent for longer than its own habit explains."""
    return _health(judge_freshness(_activity(db), db.now()))


@dg.asset_check(
    asset=RAW_EVENTS,
    description="The newest complete day of each source has about as many events as the same weekdays before it.",
)
def sources_deliver_as_much_as_usual(db: WarehouseResource) -> dg.AssetCheckResult:
    """Warn of a source whose newest complete day is far below or far above the same weekdays before it."""
    return _health(judge_volume(_activity(db), db.now()))


def _activity(db: WarehouseResource) -> pd.DataFrame:
    return db.warehouse().read(ACTIVITY, {"since": (db.now() - timedelta(days=DAYS_READ)).date()})


def _health(judged: pd.DataFrame) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not is_unusual(judged),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"sources": dg.MetadataValue.md(as_table(judged))},
    )


def _suite_check(feed: str, suite: Suite) -> dg.AssetChecksDefinition:
    """Check what is new in a feed; rows that passed once are not read again."""

    @dg.asset_check(
        name=f"{feed}_keep_their_suite",
        asset=feed_key(feed),
        blocking=True,
        description=f"The {feed} loaded since the last passed check keep their suite.",
    )
    def rows_keep_their_suite(db: WarehouseResource) -> dg.AssetCheckResult:
        with db.connect() as connection:
            found = connection.execute(UNCHECKED, [feed]).fetchall()
            loads = [load for load, _ in found]
            dates = sorted({day for _, days in found for day in days})
            outcome = validate(suite, db.warehouse().url, loads=loads, dates=dates)
            if outcome.passed:
                connection.execute("update raw.loads set is_checked = true where load_id = any(%s)", [loads])
        return _result(outcome, {"rows": outcome.rows})

    return rows_keep_their_suite


def _result(outcome: Outcome, metadata: dict[str, object]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=outcome.passed,
        severity=dg.AssetCheckSeverity.ERROR if outcome.stops else dg.AssetCheckSeverity.WARN,
        metadata={"expectations": dg.MetadataValue.md(outcome.summary), **metadata},
    )


companies_keep_their_suite = _suite_check("companies", FEED_SUITES["companies"])
branches_keep_their_suite = _suite_check("branches", FEED_SUITES["branches"])
plans_keep_their_suite = _suite_check("plans", FEED_SUITES["plans"])
subscriptions_keep_their_suite = _suite_check("subscriptions", FEED_SUITES["subscriptions"])
kpis_keep_their_suite = _suite_check("kpis", FEED_SUITES["kpis"])
events_keep_their_suite = _suite_check("events", FEED_SUITES["events"])
