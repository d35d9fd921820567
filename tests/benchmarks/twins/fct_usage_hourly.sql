select company_id, usage_date, branch_id, (local_minute // 60)::smallint as local_hour,
    count(*)::int as total_events, count(*) filter (where event_type = 'call')::int as total_calls,
    coalesce(sum(duration_seconds) filter (where event_type = 'call'), 0)::bigint as total_seconds,
    count(*) filter (where event_type = 'call' and outcome = 'success')::int as successful_bookings,
    count(*) filter (where event_type = 'call' and outcome = 'failure')::int as failed_bookings,
    count(*) filter (where event_type = 'appointment')::int as total_appointments,
    count(*) filter (where event_type = 'call' and is_after_hours)::int as after_hours_calls,
    coalesce(sum(duration_seconds) filter (where event_type = 'call' and is_after_hours), 0)::bigint
        as after_hours_seconds,
    coalesce(sum(revenue), 0)::decimal(20, 2) as total_revenue
from events group by company_id, branch_id, usage_date, local_hour
