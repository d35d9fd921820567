with counted as (
    select company_id, usage_date, branch_id, (local_minute // 60)::smallint as local_hour,
        coalesce(service, 'unknown') as service, coalesce(channel, 'unknown') as channel,
        count(*) filter (where event_type = 'call')::int as total_calls,
        count(*) filter (where event_type = 'call' and outcome = 'success')::int as successful_calls,
        count(*) filter (where event_type = 'call' and outcome = 'failure')::int as failed_calls,
        count(*) filter (where event_type = 'call' and is_after_hours)::int as after_hours_calls,
        count(*) filter (where event_type = 'call' and is_after_hours and outcome is distinct from 'success')::int
            as lost_after_hours,
        count(*) filter (where event_type = 'appointment')::int as total_appointments,
        count(*) filter (where event_type = 'appointment' and outcome = 'completed')::int as completed_appointments,
        count(*) filter (where event_type = 'appointment' and outcome = 'cancelled')::int as cancelled_appointments,
        count(*) filter (where event_type = 'appointment' and outcome = 'no_show')::int as no_show_appointments,
        coalesce(sum(revenue), 0)::decimal(20, 2) as total_revenue
    from events where event_type in ('call', 'appointment') or service is not null group by all
)
select counted.*, total_calls - successful_calls - failed_calls as missed_calls,
    total_calls - successful_calls as lost_opportunities,
    (100 * successful_calls / nullif(total_calls, 0))::decimal(5, 2) as conversion_rate, currency
from counted inner join companies using (company_id)
