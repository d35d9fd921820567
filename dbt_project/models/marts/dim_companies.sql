{{ config(materialized='table', full_refresh=none, tags=['reference']) }}

with

companies as (

    select * from {{ ref('int_companies_current') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_current') }}

),

final as (

    select
        companies.company_id,
        companies.company_key,
        companies.name,
        companies.industry,
        companies.country::text as country,
        companies.time_zone,
        companies.business_hours,
        companies.locale,
        companies.currency::text as currency,
        companies.activated_at,
        companies.activated_on,
        companies.contact_email,
        subscriptions.plan_key,
        subscriptions.plan_version,
        subscriptions.status as subscription_status,
        subscriptions.stripe_customer_id
    from companies
    left join subscriptions on companies.company_id = subscriptions.company_id

)

select * from final
