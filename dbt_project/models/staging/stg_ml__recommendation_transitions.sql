with

transitions as (

    select * from {{ source('ml', 'recommendation_transitions') }}

),

final as (

    select
        company_id,
        recommendation_key,
        to_status,
        at,
        reason
    from transitions

)

select * from final
