with

subscriptions as (

    select * from {{ source('raw', 'subscriptions') }}

),

final as (

    select
        company_id,
        valid_from,
        received_at,
        plan_key,
        plan_version,
        status,
        stripe_customer_id,
        billing_interval,
        add_ons,
        overrides
    from subscriptions

)

select * from final
