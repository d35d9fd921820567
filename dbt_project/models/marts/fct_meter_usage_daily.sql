{{
    config(
        materialized='incremental',
        incremental_strategy='replace_range',
        date_column='usage_date',
        indexes=[{'columns': ['usage_date']}],
        tags=['usage']
    )
}}

with

events as (

    select * from {{ ref('stg_raw__usage_events') }}
    where {{ is_in_window('usage_date') }}

),

meters as (

    select * from {{ ref('billable_meters') }}

),

final as (

    select
        events.company_id,
        events.branch_id,
        meters.meter,
        events.usage_date,
        sum(
            case
                when meters.aggregation = 'count' then 1
                when meters.value_field = 'duration_seconds' then coalesce(events.duration_seconds, 0)
                when meters.value_field = 'quantity' then events.quantity
            end
        )::numeric(20, 6) as quantity
    from events
    inner join meters
        on
            events.event_type = meters.event_type
            and (meters.hours = 'all' or (meters.hours = 'after') = events.is_after_hours)
    group by events.company_id, events.branch_id, meters.meter, events.usage_date

)

select * from final
