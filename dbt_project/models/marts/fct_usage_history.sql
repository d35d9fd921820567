{{
    config(
        materialized='incremental',
        date_column='last_date',
        carried_rows="period_type <> 'hourly'",
        indexes=[{'columns': ['last_date']}],
        tags=['usage']
    )
}}

with

subscriptions as (

    select * from {{ ref('int_subscriptions_history') }}

),

limits as (

    select * from {{ ref('int_plan_limits') }}

),

periods as (

    {% for period_type in ('hourly', 'daily', 'monthly') %}
        select
            company_id,
            last_date,
            '{{ period_type }}' as period_type,
            period_start,
            period_end,
            sessions,
            audio_seconds,
            transcriptions,
            exports,
            {{ 'null' if period_type == 'hourly' else 'storage_mb' }} as storage_mb,
            unique_clients,
            api_calls,
            concurrent_sessions_peak
        from {{ ref('int_history_' ~ period_type) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        periods.company_id,
        periods.last_date,
        periods.period_type,
        periods.period_start,
        periods.period_end,
        coalesce(periods.sessions, 0)::bigint as sessions_created,
        round(coalesce(periods.audio_seconds, 0) / 60, 2)::numeric(20, 2) as audio_minutes_processed,
        coalesce(periods.transcriptions, 0)::bigint as transcriptions_completed,
        coalesce(periods.exports, 0)::bigint as exports_generated,
        periods.storage_mb::numeric(20, 2) as storage_used_mb,
        coalesce(periods.unique_clients, 0)::integer as unique_clients,
        coalesce(periods.api_calls, 0)::bigint as api_calls_made,
        coalesce(periods.concurrent_sessions_peak, 0)::bigint as concurrent_sessions_peak,
        subscriptions.plan_key as plan_name,
        limits.plan_limits
    from periods
    left join subscriptions
        on
            periods.company_id = subscriptions.company_id
            and periods.last_date between subscriptions.first_date and subscriptions.last_date
    left join limits
        on
            subscriptions.plan_key = limits.plan_key
            and subscriptions.plan_version = limits.plan_version

)

select * from final
