with

-- A version that another one follows on the same date never held.
subscriptions as (

    select * from {{ ref('int_subscriptions_history') }}
    where first_date <= last_date

),

months as (

    select * from {{ ref('int_report_months') }}

),

active as (

    select
        months.usage_month,
        months.next_month,
        subscriptions.company_id
    from months
    inner join subscriptions
        on months.usage_month - 1 between subscriptions.first_date and subscriptions.last_date
    where subscriptions.status = 'active'

),

followed as (

    select
        status,
        lead(status) over versions as next_status,
        lead(first_date) over versions as ended_on
    from subscriptions
    window versions as (partition by company_id order by valid_from)

),

churn as (

    select
        active.usage_month,
        count(*) filter (where subscriptions.status = 'cancelled') as numerator,
        count(*) as denominator
    from active
    inner join subscriptions
        on
            active.company_id = subscriptions.company_id
            and active.next_month - 1 between subscriptions.first_date and subscriptions.last_date
    group by active.usage_month

),

trials as (

    select
        date_trunc('month', ended_on)::date as usage_month,
        count(*) filter (where next_status = 'active') as numerator,
        count(*) as denominator
    from followed
    where
        status = 'trial'
        and next_status <> 'trial'
    group by date_trunc('month', ended_on)

),

final as (

    select
        usage_month,
        'churn_rate' as kpi,
        numerator,
        denominator
    from churn
    union all
    select
        usage_month,
        'trial_to_paid' as kpi,
        numerator,
        denominator
    from trials

)

select * from final
