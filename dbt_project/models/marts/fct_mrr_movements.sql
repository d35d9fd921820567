{{ config(materialized='table', full_refresh=none, tags=['reporting']) }}

with

monthly as (

    select * from {{ ref('int_mrr_monthly') }}

),

compared as (

    select
        *,
        coalesce(lag(mrr) over months, 0) as mrr_before,
        lag(plan_key) over months as plan_key_before,
        coalesce(
            bool_or(mrr > 0) over (
                partition by company_id, currency
                order by usage_month
                rows between unbounded preceding and 1 preceding
            ),
            false
        ) as has_paid_before
    from monthly
    window months as (partition by company_id, currency order by usage_month)

),

final as (

    select
        company_id,
        usage_month,
        currency,
        mrr::numeric(20, 6) as mrr,
        mrr_before::numeric(20, 6) as mrr_before,
        case
            when mrr > 0 and mrr_before <= 0 and has_paid_before then 'reactivation'
            when mrr > 0 and mrr_before <= 0 then 'new'
            when mrr <= 0 and mrr_before > 0 then 'churn'
            when mrr > mrr_before then 'expansion'
            when mrr < mrr_before then 'contraction'
            else 'unchanged'
        end as movement,
        (mrr - mrr_before)::numeric(20, 6) as movement_amount,
        plan_key,
        plan_key_before
    from compared
    where
        mrr <> 0
        or mrr_before <> 0

)

select * from final
