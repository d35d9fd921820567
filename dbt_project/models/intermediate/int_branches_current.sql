with

branches as (

    select * from {{ ref('stg_raw__branches') }}

),

companies as (

    select * from {{ ref('int_companies_current') }}

),

known as (

    select
        *,
        min(valid_from) over (partition by company_id, branch_id) as first_valid_from
    from branches
    where received_at <= {{ known_at() }}

),

latest as (

    select distinct on (company_id, branch_id) *
    from known
    order by
        company_id asc, branch_id asc, (valid_from <= {{ known_at() }}) desc, valid_from desc, received_at desc

),

final as (

    select
        latest.company_id,
        latest.branch_id,
        latest.branch_key,
        latest.name,
        latest.city,
        latest.region,
        (latest.first_valid_from at time zone companies.time_zone)::date as first_date
    from latest
    inner join companies on latest.company_id = companies.company_id

)

select * from final
