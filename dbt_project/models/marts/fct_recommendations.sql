{{ config(materialized='table', full_refresh=none, tags=['reporting']) }}

with

recommendations as (

    select * from {{ ref('stg_ml__recommendations') }}
    where generated_at <= {{ known_at() }}

),

transitions as (

    select * from {{ ref('stg_ml__recommendation_transitions') }}

),

regret as (

    select * from {{ ref('stg_ml__recommendation_regret') }}

),

reached as (

    select
        company_id,
        recommendation_key,
        min(at) filter (where to_status = 'viewed') as viewed_at,
        coalesce(bool_or(to_status = 'expired' and reason = 'superseded'), false) as is_superseded
    from transitions
    group by company_id, recommendation_key

),

companies as (

    select * from {{ ref('int_companies_current') }}

),

plans as (

    select * from {{ ref('stg_raw__plans') }}

),

final as (

    select
        recommendations.company_id,
        recommendations.recommendation_id,
        recommendations.recommendation_key,
        recommendations.recommendation_type,
        recommendations.action,
        current_plans.plan_key as current_plan_key,
        current_plans.version as current_plan_version,
        recommended_plans.plan_key as recommended_plan_key,
        recommended_plans.version as recommended_plan_version,
        recommendations.confidence_score,
        recommendations.projected_savings,
        recommendations.currency,
        recommendations.status,
        recommendations.as_of,
        date_trunc('month', recommendations.generated_at at time zone companies.time_zone)::date as usage_month,
        recommendations.generated_at,
        recommendations.expires_at,
        reached.viewed_at,
        recommendations.actioned_at,
        recommendations.status in ('accepted', 'rejected') as is_decided,
        recommendations.status = 'accepted' as is_accepted,
        (recommendations.status = 'expired' and not coalesce(reached.is_superseded, false))
        or (
            recommendations.status in ('pending', 'viewed')
            and recommendations.expires_at <= {{ known_at() }}
        ) as is_expired,
        coalesce(reached.is_superseded, false) as is_superseded,
        case
            when recommendations.status in ('accepted', 'rejected')
                then extract(epoch from recommendations.actioned_at - recommendations.generated_at) / 86400
        end::numeric(10, 2) as days_to_decision,
        regret.regret,
        regret.saving as realised_savings
    from recommendations
    inner join companies on recommendations.company_id = companies.company_id
    left join reached
        on
            recommendations.company_id = reached.company_id
            and recommendations.recommendation_key = reached.recommendation_key
    left join regret
        on
            recommendations.company_id = regret.company_id
            and recommendations.recommendation_key = regret.recommendation_key
    left join plans as current_plans on recommendations.current_plan_id = current_plans.plan_id
    left join plans as recommended_plans on recommendations.recommended_plan_id = recommended_plans.plan_id

)

select * from final
