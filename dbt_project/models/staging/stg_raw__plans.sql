with

plans as (

    select * from {{ source('raw', 'plans') }}

),

final as (

    select
        plan_id,
        plan_key,
        version,
        currency::text as currency,
        valid_from,
        received_at,
        terms -> 'name' as name,
        (terms ->> 'monthly_base_fee')::numeric(20, 10) as monthly_base_fee,
        terms ->> 'option' as option,
        terms -> 'charges' as charges,
        coalesce((terms ->> 'is_trial')::boolean, false) as is_trial,
        coalesce((terms ->> 'is_sellable')::boolean, true) as is_sellable
    from plans

)

select * from final
