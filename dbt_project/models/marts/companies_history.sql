{{ config(materialized='table', full_refresh=none, tags=['reference']) }}

with

companies as (

    select * from {{ ref('int_companies_history') }}

),

final as (

    select
        company_id,
        valid_from,
        valid_to,
        first_date,
        last_date,
        company_key,
        name,
        industry,
        country,
        time_zone,
        business_hours,
        locale,
        currency,
        activated_at,
        contact_email
    from companies

)

select * from final
