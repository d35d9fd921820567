"""What must be true before anybody is billed."""

import os

import dagster as dg

from integrations.stripe.transports.settings import billing_transport
from orchestration import paths
from orchestration.defs.billing.assets import METER_EVENTS
from orchestration.resources import WarehouseResource

DRIFT = """
    with

    rated as (
        select rated.company_id, rated.meter, sum(rated.quantity) as quantity
        from billing.rated_usage as rated
        inner join marts.dim_companies as companies on rated.company_id = companies.company_id
        where rated.meter is not null and companies.stripe_customer_id is not null
            and rated.usage_date >= %(since)s and rated.quantity = trunc(rated.quantity)
        group by rated.company_id, rated.meter
    ),

    planned as (
        select company_id, meter, sum(quantity) as quantity
        from billing.meter_events where destination = %(destination)s and state <> 'rejected'
        group by company_id, meter
    )

    select company_id, meter, coalesce(rated.quantity, 0) as rated, coalesce(planned.quantity, 0) as planned
    from rated full join planned using (company_id, meter)
    where coalesce(rated.quantity, 0) <> coalesce(planned.quantity, 0)
"""


@dg.asset_check(
    asset=METER_EVENTS, description="Per company and meter, the planned meter events add up to the rated usage."
)
def planned_usage_equals_rated_usage(db: WarehouseResource) -> dg.AssetCheckResult:
    """Report every company and meter for which the two differ."""
    transport = billing_transport(os.environ, paths.outbox() / "stripe")
    drift = db.warehouse().read(
        DRIFT, {"destination": transport.destination, "since": transport.from_date or "-infinity"}
    )
    table = "\n".join(
        f"- company {row.company_id}, {row.meter}: {row.rated} rated, {row.planned} planned"
        for row in drift.itertuples()
    )
    return dg.AssetCheckResult(passed=drift.empty, metadata={"drift": dg.MetadataValue.md(table or "none")})
