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
    where aggregation in ('latest', 'weighted_sum')

),

days as (

    select * from {{ ref('int_company_days') }}

),

final as (

    select
        events.company_id,
        events.branch_id,
        events.meter,
        events.usage_date,
        events.aggregation,
        count(*)::integer as count_events,
        case
            when events.aggregation = 'weighted_sum' then sum(events.number_value)
            else
                (array_agg(
                    events.number_value order by events.occurred_at desc, events.source desc, events.event_id desc
                ))[1]
        end::numeric(26, 6) as reading,
        coalesce(
            sum(
                events.number_value * extract(epoch from days.day_ends_at - events.occurred_at) / 3600
            ) filter (where events.aggregation = 'weighted_sum'),
            0
        )::numeric(30, 6) as unit_hours
    from events
    inner join days
        on
            events.company_id = days.company_id
            and events.usage_date = days.usage_date
    group by events.company_id, events.branch_id, events.meter, events.usage_date, events.aggregation

)

select * from final
