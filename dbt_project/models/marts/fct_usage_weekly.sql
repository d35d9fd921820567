{{
    config(
        materialized='incremental',
        date_column='usage_week',
        window_grain='week',
        indexes=[{'columns': ['usage_week']}],
        tags=['usage']
    )
}}

with

weeks as (

    {{ usage_by_period('week') }}

),

final as (

    select
        company_id,
        usage_week,
        branch_id,
        extract(isoyear from usage_week)::integer as iso_year,
        extract(week from usage_week)::integer as iso_week,
        count_days::integer as count_days,
        count_complete_days::integer as count_complete_days,
        total_events::integer as total_events,
        total_calls::integer as total_calls,
        calls_on_complete_days::integer as calls_on_complete_days,
        total_seconds::bigint as total_seconds,
        total_minutes::numeric(20, 2) as total_minutes,
        successful_bookings::integer as successful_bookings,
        failed_bookings::integer as failed_bookings,
        total_appointments::integer as total_appointments,
        unique_customers::integer as unique_customers,
        total_revenue::numeric(20, 2) as total_revenue,
        currency,
        peak_hour_calls::integer as peak_hour_calls,
        after_hours_calls::integer as after_hours_calls,
        avg_call_duration::numeric(20, 2) as avg_call_duration,
        conversion_rate::numeric(5, 2) as conversion_rate,
        calls_per_day::numeric(16, 6) as calls_per_day
    from weeks

)

select * from final
