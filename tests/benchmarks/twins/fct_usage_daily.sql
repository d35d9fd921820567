with

added_up as (
    select company_id, branch_id, usage_date, sum(total_events) as total_events, sum(total_calls) as total_calls,
        sum(total_seconds) as total_seconds, sum(successful_bookings) as successful_bookings,
        sum(failed_bookings) as failed_bookings, sum(total_appointments) as total_appointments,
        sum(total_revenue) as total_revenue, max(total_calls) as peak_hour_calls,
        sum(after_hours_calls) as after_hours_calls
    from fct_usage_hourly group by company_id, branch_id, usage_date
),

counted as (
    select company_id, branch_id, usage_date, count(*) as unique_customers
    from int_meter_values where meter = 'customers' group by company_id, branch_id, usage_date
)

select company_id, usage_date, branch_id, coalesce(total_events, 0)::int as total_events,
    coalesce(total_calls, 0)::int as total_calls, coalesce(total_seconds, 0)::bigint as total_seconds,
    round(coalesce(total_seconds, 0) / 60.0, 2)::decimal(12, 2) as total_minutes,
    coalesce(successful_bookings, 0)::int as successful_bookings, coalesce(failed_bookings, 0)::int as failed_bookings,
    coalesce(total_appointments, 0)::int as total_appointments, coalesce(unique_customers, 0)::int as unique_customers,
    coalesce(total_revenue, 0)::decimal(20, 2) as total_revenue, currency,
    coalesce(peak_hour_calls, 0)::int as peak_hour_calls, coalesce(after_hours_calls, 0)::int as after_hours_calls,
    coalesce(round(total_seconds / 60.0 / nullif(total_calls, 0), 2), 0)::decimal(12, 2) as avg_call_duration,
    coalesce(round(100.0 * successful_bookings / nullif(total_calls, 0), 2), 0)::decimal(5, 2) as conversion_rate,
    (epoch(day_ends_at - day_starts_at) / 3600)::decimal(4, 2) as hours_in_day, day_ends_at,
    day_ends_at <= now() as is_day_complete
from (from spine union select company_id, branch_id, usage_date from added_up)
inner join company_days using (company_id, usage_date)
left join added_up using (company_id, branch_id, usage_date)
left join counted using (company_id, branch_id, usage_date)
