with

usage_events as (

    select * from {{ source('raw', 'usage_events') }}

),

voids as (

    select * from {{ source('raw', 'voids') }}

),

final as (

    select
        company_id,
        branch_id,
        usage_date,
        local_minute / 60 as local_hour,
        occurred_at,
        source,
        event_id,
        event_type,
        customer,
        quantity,
        duration_seconds,
        outcome,
        service,
        channel,
        revenue,
        is_after_hours,
        properties,
        load_id
    from usage_events
    where
        event_type <> 'void'
        and not exists (
            select from voids
            where
                voids.company_id = usage_events.company_id
                and voids.usage_date = usage_events.usage_date
                and voids.source = usage_events.source
                and voids.event_id = usage_events.event_id
        )

)

select * from final
