{# The usage of S4's history in each month of each company from the window's first on. #}
with

companies as (

    select * from {{ ref('int_companies_history') }}

),

months as (

    select distinct
        company_id,
        date_trunc('month', usage_date)::date as usage_month
    from {{ ref('fct_usage_daily') }}
    where {{ is_in_window('usage_date', 'month', onward=True) }}

),

monthly as (

    select
        company_id,
        usage_month,
        sum(quantity) filter (where meter = 'sessions') as sessions,
        sum(quantity) filter (where meter = 'audio_seconds') as audio_seconds,
        sum(quantity) filter (where meter = 'transcriptions') as transcriptions,
        sum(quantity) filter (where meter = 'exports') as exports,
        sum(quantity) filter (where meter = 'storage_mb') as storage_mb,
        sum(quantity) filter (where meter = 'unique_clients') as unique_clients,
        sum(quantity) filter (where meter = 'api_calls') as api_calls,
        sum(quantity) filter (where meter = 'concurrent_sessions_peak') as concurrent_sessions_peak
    from {{ ref('fct_meter_usage_monthly') }}
    where {{ is_in_window('usage_month', 'month', onward=True) }}
    group by company_id, usage_month

),

-- A month begins in the time zone of its first date and ends in that of the next month's.
final as (

    select
        months.company_id,
        (months.usage_month + interval '1 month' - interval '1 day')::date as last_date,
        {{ day_start('months.usage_month', 'beginning.time_zone') }} as period_start,
        {{ day_start("months.usage_month + interval '1 month'", 'ending.time_zone') }} as period_end,
        monthly.sessions,
        monthly.audio_seconds,
        monthly.transcriptions,
        monthly.exports,
        monthly.storage_mb,
        monthly.unique_clients,
        monthly.api_calls,
        monthly.concurrent_sessions_peak
    from months
    inner join companies as beginning
        on
            months.company_id = beginning.company_id
            and months.usage_month between beginning.first_date and beginning.last_date
    inner join companies as ending
        on
            months.company_id = ending.company_id
            and (months.usage_month + interval '1 month' - interval '1 day')::date
            between ending.first_date and ending.last_date
    left join monthly
        on
            months.company_id = monthly.company_id
            and months.usage_month = monthly.usage_month

)

select * from final
