{{
    config(
        materialized='incremental',
        date_column='usage_date',
        indexes=[{'columns': ['usage_date']}],
        tags=['usage']
    )
}}

with

events as (

    select * from {{ ref('int_metered_events') }}
    where
        is_priced_by_event
        and number_value is not null

),

final as (

    select
        company_id,
        usage_date,
        meter,
        source,
        event_id,
        branch_id,
        occurred_at,
        number_value::numeric(20, 6) as quantity
    from events

)

select * from final
