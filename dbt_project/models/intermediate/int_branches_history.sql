with

branches as (

    select * from {{ ref('stg_raw__branches') }}

),

companies as (

    select * from {{ ref('int_companies_current') }}

),

latest as (

    select distinct on (company_id, branch_id, valid_from) *
    from branches
    where received_at <= {{ known_at() }}
    order by company_id asc, branch_id asc, valid_from asc, received_at desc

),

dated as (

    select
        latest.*,
        (latest.valid_from at time zone companies.time_zone)::date as first_date
    from latest
    inner join companies on latest.company_id = companies.company_id

),

final as (

    select
        company_id,
        branch_id,
        valid_from,
        first_date,
        {{ last_date_of_version('company_id, branch_id', 'first_date') }} as last_date,
        name,
        city,
        region
    from dated

)

select * from final
