{{ config(materialized='table', full_refresh=none, tags=['reference']) }}

with

subscriptions as (

    select * from {{ ref('int_subscriptions_history') }}

),

plans as (

    select * from {{ ref('stg_raw__plans') }}

),

final as (

    select
        subscriptions.company_id,
        subscriptions.valid_from,
        subscriptions.valid_to,
        subscriptions.first_date,
        subscriptions.last_date,
        plans.plan_id,
        subscriptions.plan_key,
        subscriptions.plan_version,
        subscriptions.status,
        subscriptions.stripe_customer_id,
        subscriptions.billing_interval,
        subscriptions.add_ons,
        subscriptions.overrides
    from subscriptions
    inner join plans
        on
            subscriptions.plan_key = plans.plan_key
            and subscriptions.plan_version = plans.version

)

select * from final
