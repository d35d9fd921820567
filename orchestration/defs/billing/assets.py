"""What usage costs, and the metered usage that the payment provider is told."""

import os

import dagster as dg

from integrations.postgres.locks import exclusive
from integrations.stripe.meter_events import plan_meter_events
from integrations.stripe.outbox import planned_rows, send_pending, store_planned
from integrations.stripe.transports.settings import billing_transport
from orchestration import paths
from orchestration.dbt import model_key
from orchestration.rating.ledger import BILLING_LOCK, rate_periods, rated_days
from orchestration.resources import WarehouseResource

RATED_USAGE = dg.AssetKey(["billing", "rated_usage"])
METER_EVENTS = dg.AssetKey(["billing", "meter_events"])


@dg.asset(
    key=RATED_USAGE,
    deps=[
        model_key("fct_meter_usage_daily"),
        model_key("fct_meter_usage_monthly"),
        model_key("int_priced_events"),
        model_key("dim_companies"),
        model_key("subscriptions_history"),
        dg.AssetKey(["raw", "plans"]),
    ],
    group_name="billing",
    owners=["team:finance"],
    kinds={"postgres"},
)
def rated_usage(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per booked line: the difference between what usage costs now and what was booked. Append-only.

    Only companies and usage periods whose usage or terms changed are rated.
    """
    warehouse = db.warehouse()
    with exclusive(warehouse.url, BILLING_LOCK), warehouse.connect() as connection:
        rating = rate_periods(connection, db.now())
    amounts = {f"amount_{currency}": f"{amount:,}" for currency, amount in sorted(rating.amounts.items())}
    return dg.MaterializeResult(
        metadata={"rated_periods": rating.count_periods, "new_lines": rating.count_lines, **amounts}
    )


@dg.asset(
    key=METER_EVENTS, deps=[RATED_USAGE], group_name="billing", owners=["team:finance"], kinds={"stripe", "postgres"}
)
def meter_events(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per meter event and destination: rated usage that was not yet reported, planned once, then submitted."""
    transport = billing_transport(os.environ, paths.outbox() / "stripe")
    warehouse = db.warehouse()
    with exclusive(warehouse.url, BILLING_LOCK), warehouse.connect() as connection:
        now = db.now()
        planned = plan_meter_events(
            rated_days(connection),
            planned_rows(connection, transport.destination),
            from_date=transport.from_date,
            today=now.date() if transport.from_date else None,
        )
        count = store_planned(connection, transport.destination, planned.events, now)
        states = send_pending(connection, transport, now)
    for usage in planned.unbillable[:20]:
        context.log.warning(
            f"{usage.company_key} {usage.meter} {usage.usage_date}: {usage.quantity} not billable: {usage.reason}"
        )
    return dg.MaterializeResult(metadata={"planned": count, "unbillable": len(planned.unbillable), **states})
