{# The days of each company in its month and in its last and this week, up to its own today, branches added up. #}
with

daily as (

    select * from {{ ref('fct_usage_daily') }}
    where {{ is_recent('usage_date') }}

),

periods as (

    select * from {{ ref('int_company_periods') }}

),

final as (

    select
        daily.company_id,
        daily.usage_date,
        {{ share_of_day_passed('daily.day_ends_at', 'daily.hours_in_day') }} as share_passed,
        sum(daily.total_calls) as calls,
        sum(daily.successful_bookings) as bookings,
        sum(daily.total_seconds) as seconds,
        sum(daily.total_appointments) as appointments,
        sum(daily.total_events) as events
    from daily
    inner join periods on daily.company_id = periods.company_id
    where daily.usage_date between least(periods.usage_month, periods.usage_week - 7) and periods.usage_date
    group by daily.company_id, daily.usage_date, daily.day_ends_at, daily.hours_in_day

)

select * from final
