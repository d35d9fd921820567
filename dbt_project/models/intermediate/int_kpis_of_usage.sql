with

daily as (

    select * from {{ ref('fct_usage_daily') }}

),

monthly as (

    select * from {{ ref('fct_meter_usage_monthly') }}

),

meters as (

    select * from {{ ref('stg_seeds__meters') }}

),

events as (

    select
        date_trunc('month', usage_date)::date as usage_month,
        sum(total_events) as total_events
    from daily
    group by date_trunc('month', usage_date)

),

-- Without the months in which a level was only carried.
used as (

    select distinct
        monthly.company_id,
        monthly.usage_month,
        meters.event_type
    from monthly
    inner join meters on monthly.meter = meters.meter
    where
        meters.event_type <> '*'
        and monthly.count_events > 0

),

final as (

    select
        events.usage_month,
        'usage_growth' as kpi,
        events.total_events - before.total_events as numerator,
        before.total_events as denominator
    from events
    inner join events as before on events.usage_month = (before.usage_month + interval '1 month')::date
    union all
    select
        usage_month,
        'feature_adoption' as kpi,
        count(*) as numerator,
        count(distinct company_id) * count(distinct event_type) as denominator
    from used
    group by usage_month

)

select * from final
