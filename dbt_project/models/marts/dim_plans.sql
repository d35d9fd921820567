{{ config(materialized='table', full_refresh=none, tags=['reference']) }}

with

plans as (

    select * from {{ ref('int_plans_history') }}

),

final as (

    select
        plan_id,
        plan_key,
        version,
        name,
        currency,
        monthly_base_fee,
        option,
        charges,
        is_trial,
        is_sellable,
        valid_from,
        valid_to,
        ({{ known_at() }} at time zone 'UTC')::date between first_date and last_date as is_current
    from plans

)

select * from final
