with weekdays as (
    select company_id, date_trunc('month', usage_date)::date as usage_month,
        isodow(usage_date)::smallint as iso_weekday, count(*)::int as count_days
    from (select distinct company_id, usage_date from fct_usage_daily) group by all
), cells as (
    select company_id, date_trunc('month', usage_date)::date as usage_month,
        isodow(usage_date)::smallint as iso_weekday, local_hour, sum(total_events)::int as total_events,
        sum(total_calls)::int as total_calls, sum(total_seconds)::bigint as total_seconds
    from fct_usage_hourly group by all
)
select *, (total_events / count_days)::decimal(14, 4) as events_per_day
from cells inner join weekdays using (company_id, usage_month, iso_weekday)
