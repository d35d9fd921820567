{# Of a table just made the planner knows nothing, and the reports that come next would join it row by row. #}
{{ config(materialized='table', full_refresh=none, post_hook='analyze {{ this }}', tags=['reporting', 'rated']) }}

with

lines as (

    select * from {{ ref('stg_billing__rated_usage') }}
    where rated_at <= {{ known_at() }}

),

plans as (

    select * from {{ ref('stg_raw__plans') }}

),

final as (

    select
        lines.company_id,
        lines.line_id,
        lines.usage_period,
        lines.invoice_period,
        lines.charge,
        case
            when lines.charge in ('base_fee', 'minimum_spend', 'maximum_spend') then lines.charge
            when starts_with(lines.charge, 'add_on:') then 'add_on'
            when lines.meter is not null then 'usage'
        end as charge_kind,
        lines.meter,
        lines.usage_date,
        lines.quantity::numeric(20, 6) as quantity,
        lines.unit,
        lines.unit_price::numeric(20, 10) as unit_price,
        lines.tier::integer as tier,
        lines.amount::numeric(20, 6) as amount,
        lines.currency,
        lines.plan_key,
        lines.plan_version,
        coalesce(plans.is_trial, false) as is_trial,
        lines.usage_period <> lines.invoice_period as is_correction,
        lines.corrects,
        lines.detail,
        lines.rated_at
    from lines
    left join plans
        on
            lines.plan_key = plans.plan_key
            and lines.plan_version = plans.version

)

select * from final
