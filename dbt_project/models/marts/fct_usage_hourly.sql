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

    select * from {{ ref('stg_raw__usage_events') }}
    where {{ is_in_window('usage_date') }}

),

final as (

    select
        company_id,
        usage_date,
        branch_id,
        local_hour::smallint as local_hour,
        count(*)::integer as total_events,
        count(*) filter (where event_type = 'call')::integer as total_calls,
        coalesce(sum(duration_seconds) filter (where event_type = 'call'), 0)::bigint as total_seconds,
        count(*) filter (where event_type = 'call' and outcome = 'success')::integer as successful_bookings,
        count(*) filter (where event_type = 'call' and outcome = 'failure')::integer as failed_bookings,
        count(*) filter (where event_type = 'appointment')::integer as total_appointments,
        count(*) filter (where event_type = 'call' and is_after_hours)::integer as after_hours_calls,
        coalesce(
            sum(duration_seconds) filter (where event_type = 'call' and is_after_hours), 0
        )::bigint as after_hours_seconds,
        coalesce(sum(revenue), 0)::numeric(20, 2) as total_revenue
    from events
    group by company_id, branch_id, usage_date, local_hour

)

select * from final
