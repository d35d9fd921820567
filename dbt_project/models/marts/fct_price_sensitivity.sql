{{ config(materialized='table', full_refresh=none, tags=['reporting']) }}

with

charged as (

    select * from {{ ref('int_charged_months') }}
    where
        quantity > 0
        and currency is not null

),

months as (

    select * from {{ ref('int_company_months') }}
    where is_complete

),

priced as (

    select
        charged.company_id,
        charged.meter,
        charged.usage_month,
        charged.currency,
        charged.plan_key,
        charged.plan_version,
        charged.amount / charged.quantity as unit_price,
        charged.quantity / months.calendar_days as quantity_per_day
    from charged
    inner join months
        on
            charged.company_id = months.company_id
            and charged.usage_month = months.usage_month

),

changed as (

    select
        priced.*,
        before.plan_key as plan_key_before,
        before.plan_version as plan_version_before,
        before.unit_price as unit_price_before,
        before.quantity_per_day as quantity_per_day_before
    from priced
    inner join priced as before
        on
            priced.company_id = before.company_id
            and priced.meter = before.meter
            and priced.currency = before.currency
            and priced.usage_month = (before.usage_month + interval '1 month')::date
    where abs(priced.unit_price - before.unit_price) > 0.01 * abs(before.unit_price)

),

final as (

    select
        company_id,
        meter,
        usage_month,
        currency,
        plan_key_before,
        plan_version_before,
        plan_key as plan_key_after,
        plan_version as plan_version_after,
        unit_price_before::numeric(20, 10) as unit_price_before,
        unit_price::numeric(20, 10) as unit_price_after,
        quantity_per_day_before::numeric(20, 6) as quantity_per_day_before,
        quantity_per_day::numeric(20, 6) as quantity_per_day_after,
        round(
            (quantity_per_day - quantity_per_day_before) / (quantity_per_day + quantity_per_day_before)
            / nullif((unit_price - unit_price_before) / nullif(unit_price + unit_price_before, 0), 0),
            6
        )::numeric(20, 6) as arc_elasticity
    from changed

)

select * from final
