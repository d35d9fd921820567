{{ config(materialized='table', full_refresh=none, tags=['reporting', 'rated']) }}

with

lines as (

    select * from {{ ref('fct_rated_lines') }}

),

monthly as (

    select * from {{ ref('fct_usage_monthly') }}

),

charged as (

    select
        company_id,
        usage_period as usage_month,
        currency,
        sum(amount) as amount
    from lines
    group by company_id, usage_period, currency

),

used as (

    select
        company_id,
        usage_month,
        sum(total_calls) as count_calls,
        sum(total_seconds) as total_seconds,
        sum(total_appointments) as count_appointments
    from monthly
    group by company_id, usage_month

),

-- What a call costs is the sum of both currencies, so neither of them says it.
divided as (

    select
        charged.company_id,
        charged.usage_month,
        charged.currency,
        charged.amount,
        coalesce(used.count_calls, 0) as count_calls,
        coalesce(used.total_seconds, 0) as total_seconds,
        coalesce(used.count_appointments, 0) as count_appointments,
        case
            when count(*) over (partition by charged.company_id, charged.usage_month) = 1 then charged.amount
        end as whole_amount
    from charged
    left join used
        on
            charged.company_id = used.company_id
            and charged.usage_month = used.usage_month

),

final as (

    select
        company_id,
        usage_month,
        currency,
        amount::numeric(20, 6) as amount,
        count_calls::integer as count_calls,
        count_appointments::integer as count_appointments,
        (total_seconds / 60.0)::numeric(20, 6) as total_minutes,
        round(whole_amount / nullif(count_calls, 0), 6)::numeric(20, 6) as cost_per_call,
        round(whole_amount * 60 / nullif(total_seconds, 0), 6)::numeric(20, 6) as cost_per_minute
    from divided

)

select * from final
