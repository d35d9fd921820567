with hours as (
    select company_id, usage_date as last_date,
        occurred_at - (local_time - date_trunc('hour', local_time)) as period_start,
        period_start + interval 1 hour as period_end, count(*) filter (where meter = 'sessions') as sessions,
        sum(number_value) filter (where meter = 'audio_seconds') as audio_seconds,
        sum(number_value) filter (where meter = 'transcriptions') as transcriptions,
        sum(number_value) filter (where meter = 'exports') as exports, null::decimal(20, 6) as storage_mb,
        count(distinct text_value) filter (where meter = 'unique_clients') as unique_clients,
        sum(number_value) filter (where meter = 'api_calls') as api_calls,
        max(number_value) filter (where meter = 'concurrent_sessions_peak') as concurrent_sessions_peak
    from (
        select metered.*, timezone(time_zone, occurred_at) as local_time
        from metered inner join companies using (company_id)
        where meter in ('sessions', 'audio_seconds', 'transcriptions', 'exports', 'api_calls',
            'concurrent_sessions_peak', 'unique_clients')
    ) group by all
), clients as (
    select company_id, usage_date, count(distinct value) as unique_clients
    from int_meter_values where meter = 'unique_clients' group by all
), by_day as (
    select company_id, usage_date, sum(quantity) filter (where meter = 'sessions') as sessions,
        sum(quantity) filter (where meter = 'audio_seconds') as audio_seconds,
        sum(quantity) filter (where meter = 'transcriptions') as transcriptions,
        sum(quantity) filter (where meter = 'exports') as exports,
        sum(closing_level) filter (where meter = 'storage_mb') as storage_mb,
        sum(quantity) filter (where meter = 'api_calls') as api_calls,
        max(quantity) filter (where meter = 'concurrent_sessions_peak') as concurrent_sessions_peak
    from fct_meter_usage_daily group by all
), by_month as (
    select company_id, usage_month, sum(quantity) filter (where meter = 'sessions') as sessions,
        sum(quantity) filter (where meter = 'audio_seconds') as audio_seconds,
        sum(quantity) filter (where meter = 'transcriptions') as transcriptions,
        sum(quantity) filter (where meter = 'exports') as exports,
        sum(quantity) filter (where meter = 'storage_mb') as storage_mb,
        sum(quantity) filter (where meter = 'unique_clients') as unique_clients,
        sum(quantity) filter (where meter = 'api_calls') as api_calls,
        sum(quantity) filter (where meter = 'concurrent_sessions_peak') as concurrent_sessions_peak
    from fct_meter_usage_monthly group by all
), days as (
    select distinct company_id, usage_date from fct_usage_daily
), periods as (
    select 'hourly' as period_type, * from hours
    union all by name
    select 'daily' as period_type, company_id, usage_date as last_date, day_starts_at as period_start,
        day_ends_at as period_end, by_day.* exclude (company_id, usage_date), unique_clients
    from days inner join company_days using (company_id, usage_date)
    left join by_day using (company_id, usage_date) left join clients using (company_id, usage_date)
    union all by name
    select 'monthly' as period_type, company_id, last_day(usage_month) as last_date,
        timezone(time_zone, usage_month::timestamp) as period_start,
        timezone(time_zone, usage_month + interval 1 month) as period_end,
        by_month.* exclude (company_id, usage_month)
    from (select distinct company_id, date_trunc('month', usage_date)::date as usage_month from days)
    inner join companies using (company_id) left join by_month using (company_id, usage_month)
)
select periods.company_id, periods.last_date, period_type, period_start, period_end,
    coalesce(sessions, 0)::int as sessions_created,
    (coalesce(audio_seconds, 0) / 60)::decimal(14, 2) as audio_minutes_processed,
    coalesce(transcriptions, 0)::bigint as transcriptions_completed, coalesce(exports, 0)::bigint as exports_generated,
    storage_mb::decimal(20, 2) as storage_used_mb, coalesce(unique_clients, 0)::int as unique_clients,
    coalesce(api_calls, 0)::bigint as api_calls_made,
    coalesce(concurrent_sessions_peak, 0)::int as concurrent_sessions_peak, subscribed.plan_key as plan_name,
    plan_limits
from periods left join subscribed
    on periods.company_id = subscribed.company_id and periods.last_date between first_date and subscribed.last_date
left join plan_limits using (plan_key, plan_version)
