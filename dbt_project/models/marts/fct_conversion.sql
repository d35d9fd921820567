{{
    config(
        materialized='incremental',
        date_column='usage_date',
        indexes=[{'columns': ['usage_date']}],
        tags=['usage']
    )
}}

with

events as (

    select * from {{ ref('stg_raw__usage_events') }}
    where
        {{ is_in_window('usage_date') }}
        and (event_type in ('call', 'appointment') or service is not null)

),

days as (

    select * from {{ ref('int_company_days') }}

),

counted as (

    select
        company_id,
        usage_date,
        branch_id,
        local_hour,
        coalesce(service, 'unknown') as service,
        coalesce(channel, 'unknown') as channel,
        count(*) filter (where event_type = 'call') as total_calls,
        count(*) filter (where event_type = 'call' and outcome = 'success') as successful_calls,
        count(*) filter (where event_type = 'call' and outcome = 'failure') as failed_calls,
        count(*) filter (where event_type = 'call' and is_after_hours) as after_hours_calls,
        count(*) filter (
            where event_type = 'call' and is_after_hours and outcome is distinct from 'success'
        ) as lost_after_hours,
        count(*) filter (where event_type = 'appointment') as total_appointments,
        count(*) filter (where event_type = 'appointment' and outcome = 'completed') as completed_appointments,
        count(*) filter (where event_type = 'appointment' and outcome = 'cancelled') as cancelled_appointments,
        count(*) filter (where event_type = 'appointment' and outcome = 'no_show') as no_show_appointments,
        coalesce(sum(revenue), 0) as total_revenue
    from events
    group by
        company_id, usage_date, branch_id, local_hour, coalesce(service, 'unknown'), coalesce(channel, 'unknown')

),

final as (

    select
        counted.company_id,
        counted.usage_date,
        counted.branch_id,
        counted.local_hour::smallint as local_hour,
        counted.service,
        counted.channel,
        counted.total_calls::integer as total_calls,
        counted.successful_calls::integer as successful_calls,
        counted.failed_calls::integer as failed_calls,
        (counted.total_calls - counted.successful_calls - counted.failed_calls)::integer as missed_calls,
        counted.after_hours_calls::integer as after_hours_calls,
        (counted.total_calls - counted.successful_calls)::integer as lost_opportunities,
        counted.lost_after_hours::integer as lost_after_hours,
        round(
            100.0 * counted.successful_calls / nullif(counted.total_calls, 0), 2
        )::numeric(5, 2) as conversion_rate,
        counted.total_appointments::integer as total_appointments,
        counted.completed_appointments::integer as completed_appointments,
        counted.cancelled_appointments::integer as cancelled_appointments,
        counted.no_show_appointments::integer as no_show_appointments,
        counted.total_revenue::numeric(20, 2) as total_revenue,
        days.currency
    from counted
    inner join days
        on
            counted.company_id = days.company_id
            and counted.usage_date = days.usage_date

)

select * from final
