with counted as (
    select company_id, branch_id, date_trunc('month', usage_date)::date as usage_month,
        count(distinct value)::int as unique_customers
    from int_meter_values where meter = 'customers' group by all
), added_up as (
    select company_id, branch_id, date_trunc('month', usage_date)::date as usage_month, count(*)::int as count_days,
        count(*) filter (where is_day_complete)::int as count_complete_days, sum(total_events)::int as total_events,
        sum(total_calls)::int as total_calls,
        coalesce(sum(total_calls) filter (where is_day_complete), 0)::int as calls_on_complete_days,
        sum(total_seconds)::bigint as total_seconds, sum(successful_bookings)::int as successful_bookings,
        sum(failed_bookings)::int as failed_bookings, sum(total_appointments)::int as total_appointments,
        case when min(currency) = max(currency) then sum(total_revenue) end::decimal(20, 2) as total_revenue,
        case when min(currency) = max(currency) then min(currency) end as currency,
        max(peak_hour_calls) as peak_hour_calls, sum(after_hours_calls)::int as after_hours_calls
    from fct_usage_daily group by all
), months as (
    select added_up.*, coalesce(unique_customers, 0) as unique_customers,
        (calls_on_complete_days / nullif(count_complete_days, 0))::decimal(16, 6) as calls_per_day,
        (total_seconds / 60)::decimal(14, 2) as total_minutes,
        coalesce(total_seconds / 60 / nullif(total_calls, 0), 0)::decimal(12, 2) as avg_call_duration,
        coalesce(100 * successful_bookings / nullif(total_calls, 0), 0)::decimal(5, 2) as conversion_rate
    from added_up left join counted using (company_id, branch_id, usage_month)
)
select months.*,
    (months.calls_per_day / nullif(month_before.calls_per_day, 0) - 1)::decimal(14, 4) as calls_change_mom,
    (months.calls_per_day / nullif(year_before.calls_per_day, 0) - 1)::decimal(14, 4) as calls_change_yoy,
    case when calls_change_mom > 0.05 then 'up' when calls_change_mom < -0.05 then 'down'
        when calls_change_mom is not null then 'stable' end as trend
from months
left join months as month_before on months.company_id = month_before.company_id
    and months.branch_id = month_before.branch_id
    and (months.usage_month - interval 1 month)::date = month_before.usage_month
left join months as year_before on months.company_id = year_before.company_id
    and months.branch_id = year_before.branch_id
    and (months.usage_month - interval 1 year)::date = year_before.usage_month
