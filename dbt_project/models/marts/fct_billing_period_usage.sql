{{ config(materialized='table', full_refresh=none, tags=['reporting', 'rated']) }}

with

allowances as (

    select * from {{ ref('stg_billing__allowances') }}

),

charged as (

    select * from {{ ref('int_charged_months') }}

),

monthly as (

    select * from {{ ref('fct_meter_usage_monthly') }}

),

meters as (

    select * from {{ ref('stg_seeds__meters') }}

),

periods as (

    select * from {{ ref('int_company_periods') }}

),

months as (

    select * from {{ ref('int_company_months') }}

),

keys as (

    select
        company_id,
        usage_period,
        meter
    from allowances
    union
    select
        company_id,
        usage_month as usage_period,
        meter
    from charged

),

measured as (

    select
        keys.company_id,
        keys.usage_period,
        keys.meter,
        meters.unit,
        keys.usage_period = periods.usage_month as is_current,
        coalesce(monthly.quantity, 0) as quantity,
        allowances.included_quantity,
        allowances.limit_quantity,
        allowances.on_breach,
        coalesce(allowances.limit_quantity, allowances.included_quantity) as threshold,
        coalesce(months.elapsed_days, 0) as elapsed_days,
        coalesce(months.count_days, 0) as count_days,
        months.last_date,
        months.last_date_share,
        periods.month_ends_on,
        case
            when not {{ is_additive('meters.aggregation') }} then null
            when keys.usage_period < periods.usage_month then coalesce(monthly.quantity, 0)
            when months.is_going_on and months.elapsed_days >= 1
                then round(coalesce(monthly.quantity, 0) / months.elapsed_days * months.count_days, 6)
        end as projected_quantity,
        charged.amount,
        charged.currency
    from keys
    inner join periods on keys.company_id = periods.company_id
    left join meters on keys.meter = meters.meter
    left join allowances
        on
            keys.company_id = allowances.company_id
            and keys.usage_period = allowances.usage_period
            and keys.meter = allowances.meter
    left join charged
        on
            keys.company_id = charged.company_id
            and keys.usage_period = charged.usage_month
            and keys.meter = charged.meter
    left join monthly
        on
            keys.company_id = monthly.company_id
            and keys.usage_period = monthly.usage_month
            and keys.meter = monthly.meter
    left join months
        on
            keys.company_id = months.company_id
            and keys.usage_period = months.usage_month

),

final as (

    select
        company_id,
        usage_period,
        meter,
        unit,
        is_current,
        quantity::numeric(26, 6) as quantity,
        included_quantity::numeric(20, 6) as included_quantity,
        limit_quantity::numeric(20, 6) as limit_quantity,
        on_breach,
        case
            when included_quantity is not null then greatest(quantity - included_quantity, 0)
        end::numeric(26, 6) as overage_quantity,
        round(quantity / nullif(threshold, 0), 4)::numeric(20, 4) as utilisation,
        round(100 * quantity / nullif(included_quantity, 0), 2)::numeric(20, 2) as usage_percentage,
        coalesce(quantity >= threshold, false) as is_limit_reached,
        elapsed_days::numeric(8, 4) as elapsed_days,
        count_days::integer as count_days,
        projected_quantity::numeric(26, 6) as projected_quantity,
        -- What is reached at the end of a day is reached on that day, and not on the next one.
        case
            when is_current and quantity < threshold and projected_quantity >= threshold
                then least(
                    last_date + ceil(last_date_share + (threshold - quantity) * elapsed_days / quantity)::integer - 1,
                    month_ends_on
                )
        end as estimated_limit_reach_date,
        amount::numeric(20, 6) as amount,
        currency
    from measured

)

select * from final
