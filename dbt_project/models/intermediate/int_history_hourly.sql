{# The usage of S4's history in each hour of the window that had any; an hour that the clocks repeat is there twice. #}
with

events as (

    select * from {{ ref('int_metered_events') }}
    where
        meter in (
            'sessions', 'audio_seconds', 'transcriptions', 'exports', 'api_calls', 'concurrent_sessions_peak',
            'unique_clients'
        )

),

days as (

    select * from {{ ref('int_company_days') }}

),

hours as (

    select
        events.*,
        date_trunc('hour', events.occurred_at, days.time_zone) as period_start
    from events
    inner join days
        on
            events.company_id = days.company_id
            and events.usage_date = days.usage_date

),

final as (

    select
        company_id,
        usage_date as last_date,
        period_start,
        period_start + interval '1 hour' as period_end,
        count(*) filter (where meter = 'sessions') as sessions,
        sum(number_value) filter (where meter = 'audio_seconds') as audio_seconds,
        sum(number_value) filter (where meter = 'transcriptions') as transcriptions,
        sum(number_value) filter (where meter = 'exports') as exports,
        count(distinct text_value) filter (where meter = 'unique_clients') as unique_clients,
        sum(number_value) filter (where meter = 'api_calls') as api_calls,
        max(number_value) filter (where meter = 'concurrent_sessions_peak') as concurrent_sessions_peak
    from hours
    group by company_id, usage_date, period_start

)

select * from final
