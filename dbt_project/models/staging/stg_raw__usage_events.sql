with

usage_events as (

    select * from {{ source('raw', 'usage_events') }}

),

final as (

    select
        company_id,
        branch_id,
        usage_date,
        local_minute / 60 as local_hour,
        occurred_at,
        event_type,
        customer,
        quantity,
        duration_seconds,
        outcome,
        service,
        channel,
        revenue,
        is_after_hours
    from usage_events

)

select * from final
