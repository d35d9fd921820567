{{ config(materialized='table', full_refresh=none, tags=['reporting']) }}

with

recommendations as (

    select * from {{ ref('stg_ml__recommendations') }}
    where generated_at <= {{ known_at() }}

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
        recommendations.actioned_at,
        recommendations.status in ('accepted', 'rejected') as is_decided,
        recommendations.status = 'accepted' as is_accepted,
        recommendations.status = 'expired'
        or (
            recommendations.status in ('pending', 'viewed')
            and recommendations.expires_at <= {{ known_at() }}
        ) as is_expired,
        case
            when recommendations.status in ('accepted', 'rejected')
                then extract(epoch from recommendations.actioned_at - recommendations.generated_at) / 86400
        end::numeric(10, 2) as days_to_decision
    from recommendations
    inner join companies on recommendations.company_id = companies.company_id
    left join plans as current_plans on recommendations.current_plan_id = current_plans.plan_id
    left join plans as recommended_plans on recommendations.recommended_plan_id = recommended_plans.plan_id

)

select * from final
