{{ config(materialized='table', full_refresh=none, grants={'select': ['bi_reader']}, tags=['reporting']) }}

with

regret as (

    select * from {{ ref('stg_ml__recommendation_regret') }}

),

recommendations as (

    select * from {{ ref('stg_ml__recommendations') }}

),

judged as (

    select
        regret.company_id,
        date_trunc('month', regret.as_of)::date as usage_month,
        recommendations.recommendation_type,
        recommendations.action,
        regret.currency,
        regret.stay_cost,
        regret.best_cost,
        regret.last_month_cost,
        regret.single_plan_cost,
        regret.regret,
        regret.saving,
        regret.is_harmed,
        regret.probability,
        regret.was_right
    from regret
    inner join recommendations
        on
            regret.company_id = recommendations.company_id
            and regret.recommendation_key = recommendations.recommendation_key

),

added_up as (

    select
        usage_month,
        currency,
        recommendation_type,
        count(*) as count_judged,
        count(*) filter (where action = 'switch') as count_switches,
        count(stay_cost) as count_could_stay,
        count(*) filter (where is_harmed) as count_harmed,
        sum(regret) as regret,
        percentile_cont(0.9) within group (order by regret) as p90_regret,
        sum(best_cost) as best_cost,
        sum(last_month_cost - best_cost) as last_month_regret,
        sum(single_plan_cost - best_cost) as single_plan_regret,
        sum(best_cost) filter (where stay_cost is not null) as best_cost_of_could_stay,
        sum(stay_cost - best_cost) as possible_savings,
        sum(saving) as savings,
        avg(probability) filter (where was_right is not null) as mean_probability,
        avg(was_right::integer) as observed_frequency
    from judged
    group by usage_month, currency, recommendation_type

),

final as (

    select
        usage_month,
        currency,
        recommendation_type,
        count_judged::integer as count_judged,
        count_switches::integer as count_switches,
        count_could_stay::integer as count_could_stay,
        (regret / nullif(best_cost, 0))::numeric(12, 4) as regret_share,
        (regret / count_judged)::numeric(14, 2) as mean_regret,
        p90_regret::numeric(14, 2) as p90_regret,
        (count_harmed::numeric / nullif(count_could_stay, 0))::numeric(5, 4) as harmed_share,
        savings::numeric(14, 2) as savings,
        possible_savings::numeric(14, 2) as possible_savings,
        (savings / nullif(possible_savings, 0))::numeric(12, 4) as captured_share,
        (possible_savings / nullif(best_cost_of_could_stay, 0))::numeric(12, 4) as stay_regret_share,
        (last_month_regret / nullif(best_cost, 0))::numeric(12, 4) as last_month_regret_share,
        (single_plan_regret / nullif(best_cost, 0))::numeric(12, 4) as single_plan_regret_share,
        mean_probability::numeric(5, 4) as mean_probability,
        observed_frequency::numeric(5, 4) as observed_frequency
    from added_up

)

select * from final
