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

loads as (

    select * from {{ ref('stg_raw__loads') }}

),

days as (

    select * from {{ ref('int_company_days') }}

),

measured as (

    select
        events.company_id,
        events.usage_date,
        loads.received_at - events.occurred_at as lag,
        loads.received_at - days.day_ends_at as time_after_day,
        loads.received_at <= (events.usage_date + interval '36 hours') at time zone days.time_zone as is_by_noon
    from events
    inner join loads on events.load_id = loads.load_id
    inner join days
        on
            events.company_id = days.company_id
            and events.usage_date = days.usage_date

),

by_day as (

    select
        company_id,
        usage_date,
        count(*) as total_events,
        count(*) filter (where time_after_day <= interval '0') as events_by_day_end,
        count(*) filter (where is_by_noon) as events_by_noon,
        percentile_cont(array[0.5, 0.9, 0.99]) within group (order by lag) as lags,
        max(lag) as lag_max,
        percentile_disc(0.99) within group (order by time_after_day) as closing
    from measured
    group by company_id, usage_date

),

final as (

    select
        company_id,
        usage_date,
        total_events::integer as total_events,
        (total_events - events_by_noon)::integer as late_events,
        round(events_by_day_end::numeric / total_events, 4)::numeric(5, 4) as completeness_at_day_end,
        round(events_by_noon::numeric / total_events, 4)::numeric(5, 4) as completeness_at_noon,
        round(extract(epoch from lags[1]) / 60, 2)::numeric(14, 2) as lag_p50_minutes,
        round(extract(epoch from lags[2]) / 60, 2)::numeric(14, 2) as lag_p90_minutes,
        round(extract(epoch from lags[3]) / 60, 2)::numeric(14, 2) as lag_p99_minutes,
        round(extract(epoch from lag_max) / 60, 2)::numeric(14, 2) as lag_max_minutes,
        round(greatest(extract(epoch from closing) / 60, 0), 2)::numeric(14, 2) as closing_minutes
    from by_day

)

select * from final
