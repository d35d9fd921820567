{{
    config(
        materialized='incremental',
        incremental_strategy='replace_range',
        date_column='usage_date',
        indexes=[{'columns': ['usage_date']}],
        tags=['usage']
    )
}}

with

spine as (

    select * from {{ ref('int_usage_spine') }}

),

hourly as (

    select * from {{ ref('fct_usage_hourly') }}
    where {{ is_in_window('usage_date') }}

),

events as (

    select * from {{ ref('stg_raw__usage_events') }}
    where {{ is_in_window('usage_date') }}

),

companies as (

    select * from {{ ref('int_companies_current') }}

),

added_up as (

    select
        company_id,
        branch_id,
        usage_date,
        sum(total_calls) as total_calls,
        sum(total_seconds) as total_seconds,
        sum(successful_bookings) as successful_bookings,
        sum(failed_bookings) as failed_bookings,
        sum(total_appointments) as total_appointments,
        sum(after_hours_calls) as after_hours_calls,
        max(total_calls) as peak_hour_calls,
        sum(total_revenue) as total_revenue
    from hourly
    group by company_id, branch_id, usage_date

),

customers as (

    select
        company_id,
        branch_id,
        usage_date,
        count(distinct customer) as unique_customers
    from events
    group by company_id, branch_id, usage_date

),

company_days as (

    select
        company_id,
        branch_id,
        usage_date
    from spine
    union
    select
        company_id,
        branch_id,
        usage_date
    from added_up

),

final as (

    select
        company_days.company_id,
        company_days.branch_id,
        company_days.usage_date,
        coalesce(added_up.total_calls, 0)::integer as total_calls,
        coalesce(added_up.total_seconds, 0)::bigint as total_seconds,
        round(coalesce(added_up.total_seconds, 0) / 60.0, 2)::numeric(12, 2) as total_minutes,
        coalesce(added_up.successful_bookings, 0)::integer as successful_bookings,
        coalesce(added_up.failed_bookings, 0)::integer as failed_bookings,
        coalesce(added_up.total_appointments, 0)::integer as total_appointments,
        coalesce(customers.unique_customers, 0)::integer as unique_customers,
        coalesce(added_up.total_revenue, 0)::numeric(20, 2) as total_revenue,
        companies.currency::text as currency,
        coalesce(added_up.peak_hour_calls, 0)::integer as peak_hour_calls,
        coalesce(added_up.after_hours_calls, 0)::integer as after_hours_calls,
        coalesce(
            round(added_up.total_seconds / 60.0 / nullif(added_up.total_calls, 0), 2), 0
        )::numeric(12, 2) as avg_call_duration,
        coalesce(
            round(100.0 * added_up.successful_bookings / nullif(added_up.total_calls, 0), 2), 0
        )::numeric(5, 2) as conversion_rate
    from company_days
    inner join companies on company_days.company_id = companies.company_id
    left join added_up
        on
            company_days.company_id = added_up.company_id
            and company_days.branch_id = added_up.branch_id
            and company_days.usage_date = added_up.usage_date
    left join customers
        on
            company_days.company_id = customers.company_id
            and company_days.branch_id = customers.branch_id
            and company_days.usage_date = customers.usage_date

)

select * from final
