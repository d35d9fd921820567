with

companies as (

    select * from {{ ref('stg_raw__companies') }}

),

final as (

    select distinct on (company_id)
        company_id,
        company_key,
        name,
        industry,
        country,
        time_zone,
        business_hours,
        locale,
        currency,
        activated_at,
        (activated_at at time zone time_zone)::date as activated_on,
        contact_email
    from companies
    where received_at <= {{ known_at() }}
    order by company_id asc, (valid_from <= {{ known_at() }}) desc, valid_from desc, received_at desc

)

select * from final
