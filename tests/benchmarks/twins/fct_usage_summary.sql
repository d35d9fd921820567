with periods as (
    select company_id, timezone(time_zone, now())::date as usage_date,
        date_trunc('week', usage_date)::date as usage_week, date_trunc('month', usage_date)::date as usage_month
    from companies
), days as (
    select company_id, daily.usage_date,
        (1 - greatest(epoch(day_ends_at - now()) / 3600, 0) / hours_in_day)::decimal(8, 6) as share_passed,
        sum(total_calls) as calls, sum(successful_bookings) as bookings, sum(total_seconds) as seconds,
        sum(total_appointments) as appointments, sum(total_events) as events
    from fct_usage_daily as daily inner join periods using (company_id)
    where daily.usage_date >= current_date - 32
        and daily.usage_date between least(usage_month, usage_week - 7) and periods.usage_date
    group by company_id, daily.usage_date, day_ends_at, hours_in_day
), added_up as (
    select company_id,
        sum(calls) filter (where days.usage_date >= periods.usage_date) as today_calls,
        sum(bookings) filter (where days.usage_date >= periods.usage_date) as today_bookings,
        sum(seconds) filter (where days.usage_date >= periods.usage_date) as today_seconds,
        sum(appointments) filter (where days.usage_date >= periods.usage_date) as today_appointments,
        sum(events) filter (where days.usage_date >= periods.usage_date) as today_events,
        sum(calls) filter (where days.usage_date >= periods.usage_week) as week_calls,
        sum(bookings) filter (where days.usage_date >= periods.usage_week) as week_bookings,
        sum(seconds) filter (where days.usage_date >= periods.usage_week) as week_seconds,
        sum(appointments) filter (where days.usage_date >= periods.usage_week) as week_appointments,
        sum(events) filter (where days.usage_date >= periods.usage_week) as week_events,
        sum(calls) filter (where days.usage_date >= periods.usage_month) as month_calls,
        sum(bookings) filter (where days.usage_date >= periods.usage_month) as month_bookings,
        sum(seconds) filter (where days.usage_date >= periods.usage_month) as month_seconds,
        sum(appointments) filter (where days.usage_date >= periods.usage_month) as month_appointments,
        sum(events) filter (where days.usage_date >= periods.usage_month) as month_events,
        sum(share_passed) filter (where days.usage_date >= usage_month) as elapsed_days,
        count(*) filter (where days.usage_date >= usage_month) + (last_day(usage_month) - max(days.usage_date))
            as month_days,
        max(days.usage_date) >= periods.usage_date - 1 and elapsed_days >= 1 as is_projected
    from days inner join periods using (company_id)
    group by company_id, periods.usage_date, usage_month
), last_seen as (
    select company_id, value, max(customers.usage_date) as last_date
    from int_meter_values as customers inner join periods using (company_id)
    where meter = 'customers' and customers.usage_date >= current_date - 32
        and customers.usage_date between least(usage_month, usage_week) and periods.usage_date
    group by company_id, value
), counted as (
    select company_id, count(*) filter (where last_date >= usage_date) as today_unique_customers,
        count(*) filter (where last_date >= usage_week) as week_unique_customers,
        count(*) filter (where last_date >= usage_month) as month_unique_customers
    from last_seen inner join periods using (company_id) group by company_id
), weeks as (
    select company_id, (sum(days.calls) / nullif(sum(before.calls), 0) - 1)::decimal(14, 4) as week_calls_change
    from days inner join periods using (company_id) inner join days as before using (company_id)
    where days.usage_date >= usage_week and days.usage_date < periods.usage_date
        and days.usage_date - 7 = before.usage_date
    group by company_id
)
select periods.*, now() as known_at,
    coalesce(today_calls, 0)::int as today_calls, coalesce(today_bookings, 0)::int as today_bookings,
    (coalesce(today_seconds, 0) / 60)::decimal(14, 2) as today_minutes,
    coalesce(today_appointments, 0)::int as today_appointments, coalesce(today_events, 0)::int as today_events,
    coalesce(today_unique_customers, 0)::int as today_unique_customers,
    coalesce(week_calls, 0)::int as week_calls, coalesce(week_bookings, 0)::int as week_bookings,
    (coalesce(week_seconds, 0) / 60)::decimal(14, 2) as week_minutes,
    coalesce(week_appointments, 0)::int as week_appointments, coalesce(week_events, 0)::int as week_events,
    coalesce(week_unique_customers, 0)::int as week_unique_customers,
    coalesce(month_calls, 0)::int as month_calls, coalesce(month_bookings, 0)::int as month_bookings,
    (coalesce(month_seconds, 0) / 60)::decimal(14, 2) as month_minutes,
    coalesce(month_appointments, 0)::int as month_appointments, coalesce(month_events, 0)::int as month_events,
    coalesce(month_unique_customers, 0)::int as month_unique_customers,
    week_calls_change,
    case when week_calls_change > 0.05 then 'up' when week_calls_change < -0.05 then 'down'
        when week_calls_change is not null then 'stable' end as week_trend,
    coalesce(elapsed_days, 0)::decimal(8, 4) as month_elapsed_days,
    case when is_projected then month_calls / elapsed_days * month_days end::decimal(14, 2)
        as month_projected_calls,
    case when is_projected then month_seconds / 60 / elapsed_days * month_days end::decimal(14, 2)
        as month_projected_minutes,
    case when is_projected then month_appointments / elapsed_days * month_days end::decimal(14, 2)
        as month_projected_appointments
from periods left join added_up using (company_id) left join counted using (company_id)
left join weeks using (company_id)
