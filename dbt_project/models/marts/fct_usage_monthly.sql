{{
    config(
        materialized='incremental',
        date_column='usage_month',
        window_grain='month',
        tags=['usage']
    )
}}

with

daily as (

    select * from {{ ref('fct_usage_daily') }}
    where {{ is_in_window('usage_date', 'month') }}

),

customers as (

    select * from {{ ref('int_meter_values') }}
    where
        {{ is_in_window('usage_date', 'month') }}
        and meter = 'customers'

),

counted as (

    select
        company_id,
        branch_id,
        date_trunc('month', usage_date)::date as usage_month,
        count(distinct value) as unique_customers
    from customers
    group by company_id, branch_id, date_trunc('month', usage_date)

),

added_up as (

    select
        company_id,
        branch_id,
        date_trunc('month', usage_date)::date as usage_month,
        case when min(currency) = max(currency) then min(currency) end as currency,
        count(*) as count_days,
        sum(total_calls) as total_calls,
        sum(total_seconds) as total_seconds,
        sum(successful_bookings) as successful_bookings,
        sum(failed_bookings) as failed_bookings,
        sum(total_appointments) as total_appointments,
        case when min(currency) = max(currency) then sum(total_revenue) end as total_revenue,
        max(peak_hour_calls) as peak_hour_calls,
        sum(after_hours_calls) as after_hours_calls
    from daily
    group by company_id, branch_id, date_trunc('month', usage_date)

),

final as (

    select
        added_up.company_id,
        added_up.branch_id,
        added_up.usage_month,
        added_up.count_days::integer as count_days,
        added_up.total_calls::integer as total_calls,
        added_up.total_seconds::bigint as total_seconds,
        round(added_up.total_seconds / 60.0, 2)::numeric(14, 2) as total_minutes,
        added_up.successful_bookings::integer as successful_bookings,
        added_up.failed_bookings::integer as failed_bookings,
        added_up.total_appointments::integer as total_appointments,
        coalesce(counted.unique_customers, 0)::integer as unique_customers,
        added_up.total_revenue::numeric(20, 2) as total_revenue,
        added_up.currency,
        added_up.peak_hour_calls::integer as peak_hour_calls,
        added_up.after_hours_calls::integer as after_hours_calls,
        coalesce(
            round(added_up.total_seconds / 60.0 / nullif(added_up.total_calls, 0), 2), 0
        )::numeric(12, 2) as avg_call_duration,
        coalesce(
            round(100.0 * added_up.successful_bookings / nullif(added_up.total_calls, 0), 2), 0
        )::numeric(5, 2) as conversion_rate
    from added_up
    left join counted
        on
            added_up.company_id = counted.company_id
            and added_up.branch_id = counted.branch_id
            and added_up.usage_month = counted.usage_month

)

select * from final
