with counted as (
    select company_id, branch_id, date_trunc('week', usage_date)::date as usage_week,
        count(distinct value)::int as unique_customers
    from int_meter_values where meter = 'customers' group by all
), added_up as (
    select company_id, branch_id, date_trunc('week', usage_date)::date as usage_week, count(*)::int as count_days,
        count(*) filter (where is_day_complete)::int as count_complete_days, sum(total_events)::int as total_events,
        sum(total_calls)::int as total_calls,
        coalesce(sum(total_calls) filter (where is_day_complete), 0)::int as calls_on_complete_days,
        sum(total_seconds)::bigint as total_seconds, sum(successful_bookings)::int as successful_bookings,
        sum(failed_bookings)::int as failed_bookings, sum(total_appointments)::int as total_appointments,
        case when min(currency) = max(currency) then sum(total_revenue) end::decimal(20, 2) as total_revenue,
        case when min(currency) = max(currency) then min(currency) end as currency,
        max(peak_hour_calls) as peak_hour_calls, sum(after_hours_calls)::int as after_hours_calls
    from fct_usage_daily group by all
)
select added_up.*, isoyear(usage_week)::int as iso_year, week(usage_week)::int as iso_week,
    coalesce(unique_customers, 0) as unique_customers, (total_seconds / 60)::decimal(14, 2) as total_minutes,
    coalesce(total_seconds / 60 / nullif(total_calls, 0), 0)::decimal(12, 2) as avg_call_duration,
    coalesce(100 * successful_bookings / nullif(total_calls, 0), 0)::decimal(5, 2) as conversion_rate,
    (calls_on_complete_days / nullif(count_complete_days, 0))::decimal(16, 6) as calls_per_day
from added_up left join counted using (company_id, branch_id, usage_week)
