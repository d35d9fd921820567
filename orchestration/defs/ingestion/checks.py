"""The guard at the raw boundary: what was loaded is as it must be, and no load waits."""

import dagster as dg

from integrations.expectations.suites import LOADS, USAGE_EVENTS
from integrations.expectations.validation import Outcome, validate
from orchestration.defs.ingestion.assets import RAW_EVENTS
from orchestration.resources import WarehouseResource

UNCHECKED = "select load_id from raw.loads where feed = 'events' and status = 'published' and not is_checked"


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
    asset=RAW_EVENTS, blocking=True, description="The events loaded since the last passed check keep their suite."
)
def events_keep_their_suite(db: WarehouseResource) -> dg.AssetCheckResult:
    """Check what is new; events that passed once are not read again."""
    with db.connect() as connection:
        loads = [row[0] for row in connection.execute(UNCHECKED)]
        outcome = validate(USAGE_EVENTS, db.warehouse().url, loads=loads)
        if outcome.passed:
            connection.execute("update raw.loads set is_checked = true where load_id = any(%s)", [loads])
    return _result(outcome, {"rows": outcome.rows})


def _result(outcome: Outcome, metadata: dict[str, object]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=outcome.passed, metadata={"expectations": dg.MetadataValue.md(outcome.table), **metadata}
    )
