with

-- A version that another one follows on the same date never held.
subscriptions as (

    select * from {{ ref('int_subscriptions_history') }}
    where first_date <= last_date

),

months as (

    select * from {{ ref('int_report_months') }}

),

ended as (

    select * from {{ ref('int_trials_ended') }}

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
        usage_month,
        count(*) filter (where is_converted) as numerator,
        count(*) as denominator
    from ended
    group by usage_month

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
