{# Which companies and branches must have a row for which usage date, even if nothing happened. #}
with

companies as (

    select * from {{ ref('int_companies_current') }}

),

branches as (

    select distinct
        company_id,
        branch_id
    from {{ ref('stg_raw__branches') }}

),

days as (

    select usage_day::date as usage_date
    from generate_series({{ window_start() }}, {{ window_end() }} - 1, interval '1 day') as usage_day

),

final as (

    select
        companies.company_id,
        coalesce(branches.branch_id, 0) as branch_id,
        days.usage_date
    from companies
    inner join days on companies.activated_on <= days.usage_date
    left join branches on companies.company_id = branches.company_id

)

select * from final
