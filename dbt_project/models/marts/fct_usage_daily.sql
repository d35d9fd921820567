{{
    config(
        materialized='incremental',
        date_column='usage_date',
        indexes=[{'columns': ['usage_date']}],
        post_hook='create index if not exists fct_usage_daily_unfinished on {{ this }} (day_ends_at) where not is_day_complete',
        tags=['usage']
    )
}}

with

spine as (

    select * from {{ ref('int_usage_spine') }}

),

hourly as (

    select * from {{ ref('fct_usage_hourly') }}
    where {{ is_in_window('usage_date') }}

),

customers as (

    select * from {{ ref('int_meter_values') }}
    where
        {{ is_in_window('usage_date') }}
        and meter = 'customers'

),

days as (

    select * from {{ ref('int_company_days') }}

),

added_up as (

    select
        company_id,
        branch_id,
        usage_date,
        sum(total_events) as total_events,
        sum(total_calls) as total_calls,
        sum(total_seconds) as total_seconds,
        sum(successful_bookings) as successful_bookings,
        sum(failed_bookings) as failed_bookings,
        sum(total_appointments) as total_appointments,
        sum(after_hours_calls) as after_hours_calls,
        max(total_calls) as peak_hour_calls,
        sum(total_revenue) as total_revenue
    from hourly
    group by company_id, branch_id, usage_date

),

counted as (

    select
        company_id,
        branch_id,
        usage_date,
        count(*) as unique_customers
    from customers
    group by company_id, branch_id, usage_date

),

branch_days as (

    select
        company_id,
        branch_id,
        usage_date
    from spine
    union
    select
        company_id,
        branch_id,
        usage_date
    from added_up

),

final as (

    select
        branch_days.company_id,
        branch_days.usage_date,
        branch_days.branch_id,
        coalesce(added_up.total_events, 0)::integer as total_events,
        coalesce(added_up.total_calls, 0)::integer as total_calls,
        coalesce(added_up.total_seconds, 0)::bigint as total_seconds,
        round(coalesce(added_up.total_seconds, 0) / 60.0, 2)::numeric(20, 2) as total_minutes,
        coalesce(added_up.successful_bookings, 0)::integer as successful_bookings,
        coalesce(added_up.failed_bookings, 0)::integer as failed_bookings,
        coalesce(added_up.total_appointments, 0)::integer as total_appointments,
        coalesce(counted.unique_customers, 0)::integer as unique_customers,
        coalesce(added_up.total_revenue, 0)::numeric(20, 2) as total_revenue,
        days.currency,
        coalesce(added_up.peak_hour_calls, 0)::integer as peak_hour_calls,
        coalesce(added_up.after_hours_calls, 0)::integer as after_hours_calls,
        coalesce(
            round(added_up.total_seconds / 60.0 / nullif(added_up.total_calls, 0), 2), 0
        )::numeric(20, 2) as avg_call_duration,
        coalesce(
            round(100.0 * added_up.successful_bookings / nullif(added_up.total_calls, 0), 2), 0
        )::numeric(5, 2) as conversion_rate,
        (extract(epoch from days.day_ends_at - days.day_starts_at) / 3600)::numeric(4, 2) as hours_in_day,
        days.day_ends_at,
        days.day_ends_at <= {{ known_at() }} as is_day_complete
    from branch_days
    inner join days
        on
            branch_days.company_id = days.company_id
            and branch_days.usage_date = days.usage_date
    left join added_up
        on
            branch_days.company_id = added_up.company_id
            and branch_days.branch_id = added_up.branch_id
            and branch_days.usage_date = added_up.usage_date
    left join counted
        on
            branch_days.company_id = counted.company_id
            and branch_days.branch_id = counted.branch_id
            and branch_days.usage_date = counted.usage_date

)

select * from final
