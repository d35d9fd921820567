{{
    config(
        materialized='incremental',
        date_column='usage_month',
        window_grain='month',
        onward=true,
        indexes=[{'columns': ['usage_month']}],
        tags=['usage']
    )
}}

with

months as (

    {{ usage_by_period('month', onward=True) }}

),

-- What the months are compared with: each other, and the year before the window as it is built already.
bases as (

    select
        company_id,
        branch_id,
        usage_month,
        calls_per_day
    from months
    {% if is_incremental() %}
        union all
        select
            company_id,
            branch_id,
            usage_month,
            calls_per_day
        from {{ this }}
        where
            usage_month >= {{ window_start('month') }} - interval '1 year'
            and usage_month < {{ window_start('month') }}
    {% endif %}

),

compared as (

    select
        months.*,
        round(months.calls_per_day / nullif(month_before.calls_per_day, 0) - 1, 4) as calls_change_mom,
        round(months.calls_per_day / nullif(year_before.calls_per_day, 0) - 1, 4) as calls_change_yoy
    from months
    left join bases as month_before
        on
            months.company_id = month_before.company_id
            and months.branch_id = month_before.branch_id
            and month_before.usage_month = (months.usage_month - interval '1 month')::date
    left join bases as year_before
        on
            months.company_id = year_before.company_id
            and months.branch_id = year_before.branch_id
            and year_before.usage_month = (months.usage_month - interval '1 year')::date

),

final as (

    select
        company_id,
        usage_month,
        branch_id,
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
        calls_per_day::numeric(16, 6) as calls_per_day,
        calls_change_mom::numeric(14, 4) as calls_change_mom,
        calls_change_yoy::numeric(14, 4) as calls_change_yoy,
        {{ trend_of('calls_change_mom') }} as trend
    from compared

)

select * from final
