with measured as (
    select company_id, usage_date, epoch(received_at - occurred_at) / 60 as lag_minutes,
        epoch(received_at - day_ends_at) / 60 as minutes_after_day,
        received_at <= timezone(time_zone, usage_date + interval 36 hours) as is_by_noon
    from events inner join loads using (load_id) inner join company_days using (company_id, usage_date)
), by_day as (
    select company_id, usage_date, count(*) as total_events,
        count(*) filter (where minutes_after_day <= 0) as events_by_day_end,
        count(*) filter (where is_by_noon) as events_by_noon,
        quantile_cont(lag_minutes, [0.5, 0.9, 0.99]) as lags, max(lag_minutes) as lag_max,
        quantile_disc(minutes_after_day, 0.99) as closing
    from measured group by company_id, usage_date
)
select company_id, usage_date, total_events::int as total_events,
    (total_events - events_by_noon)::int as late_events,
    (events_by_day_end / total_events)::decimal(5, 4) as completeness_at_day_end,
    (events_by_noon / total_events)::decimal(5, 4) as completeness_at_noon,
    lags[1]::decimal(14, 2) as lag_p50_minutes, lags[2]::decimal(14, 2) as lag_p90_minutes,
    lags[3]::decimal(14, 2) as lag_p99_minutes, lag_max::decimal(14, 2) as lag_max_minutes,
    greatest(closing, 0)::decimal(14, 2) as closing_minutes
from by_day
