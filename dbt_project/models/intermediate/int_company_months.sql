{#
    The days of each company in each month, up to its own today: from the first one on which it was active, and those of
    the running month that are still to come. The running day counts by its share.
#}
with

daily as (

    select * from {{ ref('fct_usage_daily') }}

),

periods as (

    select * from {{ ref('int_company_periods') }}

),

days as (

    select distinct
        daily.company_id,
        daily.usage_date,
        date_trunc('month', daily.usage_date)::date as usage_month,
        {{ share_of_day_passed('daily.day_ends_at', 'daily.hours_in_day') }} as share_passed
    from daily
    inner join periods
        on
            daily.company_id = periods.company_id
            and daily.usage_date <= periods.usage_date

),

added_up as (

    select
        company_id,
        usage_month,
        sum(share_passed) as elapsed_days,
        count(*) as count_days,
        count(*) filter (where share_passed = 1) as count_complete_days,
        max(usage_date) as last_date,
        (array_agg(share_passed order by usage_date desc))[1] as last_date_share,
        (usage_month + interval '1 month')::date - usage_month as calendar_days
    from days
    group by company_id, usage_month

),

placed as (

    select
        added_up.*,
        added_up.usage_month = periods.usage_month
        and added_up.last_date >= periods.usage_date - 1 as is_going_on,
        periods.month_ends_on
    from added_up
    inner join periods on added_up.company_id = periods.company_id

),

final as (

    select
        company_id,
        usage_month,
        elapsed_days,
        count_days + case when is_going_on then month_ends_on - last_date else 0 end as count_days,
        last_date,
        last_date_share,
        is_going_on,
        calendar_days,
        count_complete_days = calendar_days as is_complete
    from placed

)

select * from final
