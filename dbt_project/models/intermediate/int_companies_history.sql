with

companies as (

    select * from {{ ref('stg_raw__companies') }}

),

latest as (

    select distinct on (company_id, valid_from) *
    from companies
    where received_at <= {{ known_at() }}
    order by company_id asc, valid_from asc, received_at desc

),

dated as (

    select
        *,
        lead(valid_from) over versions as valid_to,
        -- The first version describes also the time before it.
        case
            when row_number() over versions > 1 then (valid_from at time zone time_zone)::date
            else date '0001-01-01'
        end as first_date
    from latest
    window versions as (partition by company_id order by valid_from)

),

final as (

    select
        company_id,
        company_key,
        valid_from,
        valid_to,
        first_date,
        {{ last_date_of_version('company_id', 'first_date') }} as last_date,
        name,
        industry,
        country::text as country,
        time_zone,
        business_hours,
        locale,
        currency::text as currency,
        activated_at,
        contact_email
    from dated

)

select * from final
