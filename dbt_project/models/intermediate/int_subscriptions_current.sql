with

subscriptions as (

    select * from {{ ref('stg_raw__subscriptions') }}

),

final as (

    select distinct on (company_id)
        company_id,
        plan_key,
        plan_version,
        status,
        stripe_customer_id
    from subscriptions
    where
        received_at <= {{ known_at() }}
        and valid_from <= {{ known_at() }}
    order by company_id asc, valid_from desc, received_at desc

)

select * from final
