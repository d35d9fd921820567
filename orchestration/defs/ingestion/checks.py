"""The guard at the raw boundary: what was loaded is as it must be, and no load waits."""

import dagster as dg

from integrations.expectations.rules import Suite
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
        passed=outcome.passed, metadata={"expectations": dg.MetadataValue.md(outcome.summary), **metadata}
    )


companies_keep_their_suite = _suite_check("companies", FEED_SUITES["companies"])
branches_keep_their_suite = _suite_check("branches", FEED_SUITES["branches"])
plans_keep_their_suite = _suite_check("plans", FEED_SUITES["plans"])
subscriptions_keep_their_suite = _suite_check("subscriptions", FEED_SUITES["subscriptions"])
events_keep_their_suite = _suite_check("events", FEED_SUITES["events"])
