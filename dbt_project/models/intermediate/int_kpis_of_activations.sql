with

companies as (

    select * from {{ ref('int_companies_current') }}

),

-- A version that another one follows on the same date never held.
subscriptions as (

    select * from {{ ref('int_subscriptions_history') }}
    where first_date <= last_date

),

daily as (

    select * from {{ ref('fct_usage_daily') }}
    where total_events > 0

),

first_usage as (

    select
        companies.company_id,
        min(daily.usage_date) as first_date
    from companies
    inner join daily
        on
            companies.company_id = daily.company_id
            and companies.activated_on <= daily.usage_date
    group by companies.company_id

),

early_leavers as (

    select distinct companies.company_id
    from companies
    inner join subscriptions on companies.company_id = subscriptions.company_id
    where
        subscriptions.status = 'cancelled'
        and subscriptions.first_date < companies.activated_on + 14

),

begun as (

    select
        companies.company_id,
        date_trunc('month', companies.activated_on)::date as usage_month,
        first_usage.first_date - companies.activated_on as days_to_usage,
        early_leavers.company_id is null as is_on_board
    from companies
    left join first_usage on companies.company_id = first_usage.company_id
    left join early_leavers on companies.company_id = early_leavers.company_id

),

final as (

    select
        usage_month,
        'onboarding_completion' as kpi,
        count(*) filter (where is_on_board) as numerator,
        count(*) as denominator
    from begun
    group by usage_month
    union all
    select
        usage_month,
        'time_to_value' as kpi,
        sum(days_to_usage) as numerator,
        count(days_to_usage) as denominator
    from begun
    group by usage_month

)

select * from final
