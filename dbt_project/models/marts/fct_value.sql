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

minutes_saved as (

    select * from {{ ref('minutes_saved') }}

),

event_types as (

    select distinct event_type from minutes_saved

),

counted as (

    select
        company_id,
        usage_date,
        event_type,
        outcome,
        count(*) as count_events
    from events
    where event_type in (select event_types.event_type from event_types)
    group by company_id, usage_date, event_type, outcome

),

valued as (

    select
        counted.company_id,
        counted.usage_date,
        counted.event_type,
        counted.count_events,
        counted.count_events * coalesce(of_outcome.minutes, of_any.minutes, 0) as minutes
    from counted
    left join minutes_saved as of_outcome
        on
            counted.event_type = of_outcome.event_type
            and counted.outcome = of_outcome.outcome
    left join minutes_saved as of_any
        on
            counted.event_type = of_any.event_type
            and of_any.outcome = '*'

),

final as (

    select
        company_id,
        usage_date,
        event_type,
        sum(count_events)::integer as count_events,
        round(sum(minutes) / sum(count_events), 2)::numeric(8, 2) as minutes_saved,
        sum(minutes)::numeric(20, 2) as time_saved_minutes
    from valued
    group by company_id, usage_date, event_type

)

select * from final
