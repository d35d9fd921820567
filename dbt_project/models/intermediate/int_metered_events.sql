{# Each event of the window beside each meter that counts it, with the number or the text that the meter looks at. #}
with

events as (

    select * from {{ ref('stg_raw__usage_events') }}
    where {{ is_in_window('usage_date') }}

),

meters as (

    select * from {{ ref('stg_seeds__meters') }}

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
        meters.is_priced_by_event,
        case meters.value_field
            when 'quantity' then events.quantity
            when 'duration_seconds' then events.duration_seconds
            when 'revenue' then events.revenue
        end as number_value,
        case when meters.aggregation = 'unique_count' then {{ event_field('meters.value_field') }} end as text_value
    from events
    -- Its own type, and the one that stands for all: two equalities, since only an equality makes a fast join.
    cross join lateral (values (nullif(events.event_type, '*')), ('*')) as counted (event_type)
    inner join meters
        on
            counted.event_type = meters.event_type
            and (meters.filter_field is null or {{ event_field('meters.filter_field') }} = meters.filter_value)

)

select * from final
