with counted as (
    select company_id, usage_date, event_type, outcome, count(*) as count_events
    from events where event_type in (select event_type from minutes_saved) group by all
), added_up as (
    select company_id, usage_date, counted.event_type, sum(count_events)::int as count_events,
        sum(count_events * coalesce(of_outcome.minutes, of_any.minutes, 0))::decimal(20, 2) as time_saved_minutes
    from counted
    left join minutes_saved as of_outcome using (event_type, outcome)
    left join minutes_saved as of_any on counted.event_type = of_any.event_type and of_any.outcome = '*'
    group by all
)
select *, (time_saved_minutes / count_events)::decimal(8, 2) as minutes_saved from added_up
