{# Each event of the window beside each meter that counts it, with the number or the text that the meter looks at. #}
with

events as (

    select * from {{ ref('stg_raw__usage_events') }}
    where {{ is_in_window('usage_date') }}

),

meters as (

    select * from {{ ref('stg_seeds__meters') }}

),

-- A meter of every type has one row per type, since only an equality makes a fast join.
event_types as (

    select distinct event_type from events

),

meters_of_types as (

    select
        event_types.event_type,
        meters.meter,
        meters.aggregation,
        meters.value_field,
        meters.filter_field,
        meters.filter_value
    from meters
    inner join event_types on meters.event_type in (event_types.event_type, '*')

),

final as (

    select
        events.company_id,
        events.branch_id,
        events.usage_date,
        events.local_hour,
        events.occurred_at,
        events.source,
        events.event_id,
        events.event_type,
        events.revenue,
        meters.meter,
        meters.aggregation,
        case meters.value_field
            when 'quantity' then events.quantity
            when 'duration_seconds' then events.duration_seconds
            when 'revenue' then events.revenue
        end as number_value,
        case when meters.aggregation = 'unique_count' then {{ event_field('meters.value_field') }} end as text_value
    from events
    inner join meters_of_types as meters
        on
            events.event_type = meters.event_type
            and (meters.filter_field is null or {{ event_field('meters.filter_field') }} = meters.filter_value)

)

select * from final
