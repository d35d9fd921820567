{{ config(materialized='table', full_refresh=none, tags=['reference']) }}

with

companies as (

    select * from {{ ref('int_companies_current') }}

),

branches as (

    select * from {{ ref('int_branches_current') }}

),

-- What happened at no branch is counted under branch 0, and must find a row, too.
final as (

    select
        company_id,
        branch_id,
        branch_key,
        name,
        city,
        region,
        first_date
    from branches
    union all
    select
        company_id,
        0 as branch_id,
        null as branch_key,
        'none' as name,
        null as city,
        null as region,
        null as first_date
    from companies

)

select * from final
