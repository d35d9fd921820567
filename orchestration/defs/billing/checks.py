"""What must be true before anybody is billed."""

import os

import dagster as dg

from integrations.stripe.transports.settings import billing_transport
from orchestration import paths
from orchestration.defs.billing.assets import METER_EVENTS, RATED_USAGE
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


WITHOUT_PLAN = """
    select companies.company_key, count(*) as count_days, sum(daily.events)::bigint as events,
        min(daily.usage_date) as first_date, max(daily.usage_date) as last_date
    from (
        select company_id, usage_date, sum(total_events) as events from marts.fct_usage_daily
        where usage_date > %(now)s::date - %(days)s and total_events > 0
        group by company_id, usage_date
    ) as daily
    inner join marts.dim_companies as companies on daily.company_id = companies.company_id
    where not exists (
        select from marts.subscriptions_history as history
        where history.company_id = daily.company_id and history.first_date <= history.last_date
            and daily.usage_date between history.first_date
                and case history.status when 'cancelled' then history.first_date else history.last_date end
    )
    group by companies.company_key order by events desc
"""
LOOK_BACK_DAYS = 62


@dg.asset_check(
    asset=RATED_USAGE,
    description="Whoever used anything in the last two months had a plan on that day; else it is free.",
)
def usage_has_a_plan(db: WarehouseResource) -> dg.AssetCheckResult:
    """Report companies with usage on days on which no subscription holds: nothing is owed for it."""
    found = db.warehouse().read(WITHOUT_PLAN, {"now": db.now(), "days": LOOK_BACK_DAYS})
    table = "\n".join(
        f"- {row.company_key}: {row.events:,} events on {row.count_days} days, {row.first_date:%Y-%m-%d}"
        f" to {row.last_date:%Y-%m-%d}"
        for row in found.itertuples()
    )
    return dg.AssetCheckResult(
        passed=found.empty,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"companies": len(found), "usage_without_a_plan": dg.MetadataValue.md(table or "none")},
    )
