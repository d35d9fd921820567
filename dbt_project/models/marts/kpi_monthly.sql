{{ config(materialized='table', full_refresh=none, grants={'select': ['bi_reader']}, tags=['reporting']) }}

with

revenue as (

    select * from {{ ref('int_revenue_monthly') }}

),

ended as (

    select * from {{ ref('int_trials_ended') }}
    where (usage_month + interval '1 month')::date <= {{ unfinished_date() }}

),

companies as (

    select * from {{ ref('int_companies_current') }}

),

trials as (

    select
        ended.usage_month,
        companies.currency::text as currency,
        count(*) as count_trials_ended,
        count(*) filter (where ended.is_converted) as count_trials_converted
    from ended
    inner join companies on ended.company_id = companies.company_id
    group by ended.usage_month, companies.currency

),

joined as (

    select
        coalesce(revenue.usage_month, trials.usage_month) as usage_month,
        coalesce(revenue.currency, trials.currency) as currency,
        {% for measure in (
            'mrr', 'count_paying', 'count_paying_before', 'count_churned', 'count_upgraded', 'count_downgraded'
        ) %}
            coalesce(revenue.{{ measure }}, 0) as {{ measure }},
        {% endfor %}
        coalesce(trials.count_trials_ended, 0) as count_trials_ended,
        coalesce(trials.count_trials_converted, 0) as count_trials_converted
    from revenue
    full join trials
        on
            revenue.usage_month = trials.usage_month
            and revenue.currency = trials.currency

),

final as (

    select
        usage_month,
        currency,
        mrr::numeric(20, 6) as mrr,
        (12 * mrr)::numeric(20, 6) as arr,
        count_paying::integer as count_paying,
        (mrr / nullif(count_paying, 0))::numeric(20, 6) as arpu,
        count_paying_before::integer as count_paying_before,
        count_churned::integer as count_churned,
        (count_churned::numeric / nullif(count_paying_before, 0))::numeric(7, 6) as churn_rate,
        (mrr * count_paying_before / nullif(count_paying * count_churned, 0))::numeric(20, 6) as ltv,
        count_upgraded::integer as count_upgraded,
        (count_upgraded::numeric / nullif(count_paying_before, 0))::numeric(7, 6) as upgrade_rate,
        count_downgraded::integer as count_downgraded,
        (count_downgraded::numeric / nullif(count_paying_before, 0))::numeric(7, 6) as downgrade_rate,
        count_trials_ended::integer as count_trials_ended,
        count_trials_converted::integer as count_trials_converted,
        (count_trials_converted::numeric / nullif(count_trials_ended, 0))::numeric(7, 6) as trial_conversion
    from joined

)

select * from final
