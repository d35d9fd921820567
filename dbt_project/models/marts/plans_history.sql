{{ config(materialized='table', full_refresh=none, tags=['reference']) }}

with

plans as (

    select * from {{ ref('int_plans_history') }}

),

final as (

    select
        plan_key,
        version,
        plan_id,
        valid_from,
        valid_to,
        first_date,
        last_date
    from plans

)

select * from final
