{{
    config(
        materialized='incremental',
        date_column='usage_month',
        window_grain='month',
        indexes=[{'columns': ['usage_month']}],
        tags=['usage']
    )
}}

with

hourly as (

    select * from {{ ref('fct_usage_hourly') }}
    where {{ is_in_window('usage_date', 'month') }}

),

days as (

    select distinct
        company_id,
        usage_date
    from {{ ref('fct_usage_daily') }}
    where {{ is_in_window('usage_date', 'month') }}

),

weekdays as (

    select
        company_id,
        date_trunc('month', usage_date)::date as usage_month,
        extract(isodow from usage_date)::smallint as iso_weekday,
        count(*) as count_days
    from days
    group by company_id, date_trunc('month', usage_date), extract(isodow from usage_date)

),

cells as (

    select
        company_id,
        date_trunc('month', usage_date)::date as usage_month,
        extract(isodow from usage_date)::smallint as iso_weekday,
        local_hour,
        sum(total_events) as total_events,
        sum(total_calls) as total_calls,
        sum(total_seconds) as total_seconds
    from hourly
    group by company_id, date_trunc('month', usage_date), extract(isodow from usage_date), local_hour

),

final as (

    select
        cells.company_id,
        cells.usage_month,
        cells.iso_weekday,
        cells.local_hour,
        cells.total_events::integer as total_events,
        cells.total_calls::integer as total_calls,
        cells.total_seconds::bigint as total_seconds,
        weekdays.count_days::integer as count_days,
        round(cells.total_events::numeric / weekdays.count_days, 4)::numeric(14, 4) as events_per_day
    from cells
    inner join weekdays
        on
            cells.company_id = weekdays.company_id
            and cells.usage_month = weekdays.usage_month
            and cells.iso_weekday = weekdays.iso_weekday

)

select * from final
