with

regret as (

    select * from {{ source('ml', 'recommendation_regret') }}

),

final as (

    select
        company_id,
        recommendation_key,
        as_of,
        currency::text as currency,
        recommended_cost,
        stay_cost,
        best_cost,
        last_month_cost,
        single_plan_cost,
        regret,
        saving,
        is_harmed,
        probability,
        was_right
    from regret

)

select * from final
