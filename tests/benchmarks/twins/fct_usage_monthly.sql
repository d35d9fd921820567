with

counted as (
    select company_id, branch_id, date_trunc('month', usage_date) as usage_month,
        count(distinct value) as unique_customers
    from int_meter_values where meter = 'customers' group by all
),

added_up as (
    select company_id, branch_id, date_trunc('month', usage_date) as usage_month, currency, count(*) as count_days,
        sum(total_calls) as total_calls, sum(total_seconds) as total_seconds,
        sum(successful_bookings) as successful_bookings, sum(failed_bookings) as failed_bookings,
        sum(total_appointments) as total_appointments, sum(total_revenue) as total_revenue,
        max(peak_hour_calls) as peak_hour_calls, sum(after_hours_calls) as after_hours_calls
    from fct_usage_daily group by all
)

select added_up.*, coalesce(unique_customers, 0) as unique_customers,
    round(total_seconds / 60.0, 2)::decimal(14, 2) as total_minutes,
    coalesce(round(total_seconds / 60.0 / nullif(total_calls, 0), 2), 0)::decimal(12, 2) as avg_call_duration,
    coalesce(round(100.0 * successful_bookings / nullif(total_calls, 0), 2), 0)::decimal(5, 2) as conversion_rate
from added_up left join counted using (company_id, branch_id, usage_month)
