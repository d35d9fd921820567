with

companies as (

    select * from {{ source('raw', 'companies') }}

),

company_ids as (

    select * from {{ source('raw', 'company_ids') }}

),

final as (

    select
        companies.company_id,
        company_ids.company_key,
        companies.valid_from,
        companies.received_at,
        companies.name,
        companies.industry,
        companies.country,
        companies.time_zone,
        companies.business_hours,
        companies.locale,
        companies.currency,
        companies.activated_at,
        companies.contact_email
    from companies
    inner join company_ids on companies.company_id = company_ids.company_id

)

select * from final
