"""The mails that leave the building, or wait in a folder to be looked at."""

import os

import dagster as dg

from integrations.messaging.outbox import planned_keys, send_pending, store_planned
from integrations.messaging.planning import plan_notifications
from integrations.messaging.transports.file import write_index
from integrations.messaging.transports.settings import mail_sender, mail_transport
from integrations.postgres.locks import exclusive
from orchestration import paths
from orchestration.mails import read_results
from orchestration.resources import WarehouseResource, go_live_date

MAILER_LOCK = 7_151_005


@dg.asset(
    key=["messaging", "notifications"],
    deps=[
        dg.AssetKey(["ml", name]) for name in ("usage_insights", "pricing_recommendations", "recommendation_reviews")
    ],
    group_name="messaging",
    owners=["team:data-engineering"],
    kinds={"jinja", "postgres"},
)
def notifications(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company, destination and mail: planned once, then delivered by the transport in the settings."""
    folder = paths.outbox() / "mail"
    transport = mail_transport(os.environ, folder)
    warehouse, planned = db.warehouse(), 0
    with exclusive(warehouse.url, MAILER_LOCK), warehouse.connect() as connection:
        now, go_live = db.now(), go_live_date(connection)
        since = max(filter(None, (go_live, transport.from_date)), default=None)
        for kind in ("first_insights", "recommendation"):
            results = read_results(connection, kind)
            due = plan_notifications(results, planned_keys(connection, transport.destination), since, kind=kind)
            payloads = {row["key"]: row["payload"] for row in results}
            planned += store_planned(connection, transport.destination, due, payloads, now)
        states = send_pending(connection, transport, mail_sender(os.environ), now)
    index = write_index(folder) if transport.destination == "file" else None
    links = {"index": dg.MetadataValue.path(str(index))} if index else {}
    return dg.MaterializeResult(metadata={"planned": planned, **states, **links})
