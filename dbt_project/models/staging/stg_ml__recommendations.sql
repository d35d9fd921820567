with

recommendations as (

    select * from {{ source('ml', 'pricing_recommendations') }}

),

final as (

    select
        company_id,
        recommendation_id,
        recommendation_key,
        recommendation_type,
        action,
        current_plan_id,
        recommended_plan_id,
        confidence_score,
        projected_savings,
        currency::text as currency,
        status,
        as_of,
        generated_at,
        expires_at,
        actioned_at
    from recommendations

)

select * from final
