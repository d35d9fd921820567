{# The usage of S4's history on each date of each company from the window's first on, over all branches. #}
with

days as (

    select distinct
        company_id,
        usage_date,
        day_ends_at - hours_in_day * interval '1 hour' as day_starts_at,
        day_ends_at
    from {{ ref('fct_usage_daily') }}
    where {{ is_in_window('usage_date', onward=True) }}

),

daily as (

    select * from {{ ref('fct_meter_usage_daily') }}
    where {{ is_in_window('usage_date', onward=True) }}

),

clients as (

    select
        company_id,
        usage_date,
        count(distinct value) as unique_clients
    from {{ ref('int_meter_values') }}
    where
        {{ is_in_window('usage_date', onward=True) }}
        and meter = 'unique_clients'
    group by company_id, usage_date

),

added_up as (

    select
        company_id,
        usage_date,
        sum(quantity) filter (where meter = 'sessions') as sessions,
        sum(quantity) filter (where meter = 'audio_seconds') as audio_seconds,
        sum(quantity) filter (where meter = 'transcriptions') as transcriptions,
        sum(quantity) filter (where meter = 'exports') as exports,
        sum(closing_level) filter (where meter = 'storage_mb') as storage_mb,
        sum(quantity) filter (where meter = 'api_calls') as api_calls,
        max(quantity) filter (where meter = 'concurrent_sessions_peak') as concurrent_sessions_peak
    from daily
    group by company_id, usage_date

),

final as (

    select
        days.company_id,
        days.usage_date as last_date,
        days.day_starts_at as period_start,
        days.day_ends_at as period_end,
        added_up.sessions,
        added_up.audio_seconds,
        added_up.transcriptions,
        added_up.exports,
        added_up.storage_mb,
        clients.unique_clients,
        added_up.api_calls,
        added_up.concurrent_sessions_peak
    from days
    left join added_up
        on
            days.company_id = added_up.company_id
            and days.usage_date = added_up.usage_date
    left join clients
        on
            days.company_id = clients.company_id
            and days.usage_date = clients.usage_date

)

select * from final
