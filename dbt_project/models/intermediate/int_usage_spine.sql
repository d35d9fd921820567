{#
    Which companies and branches have a row for which usage date, even if nothing happened: from the company's activation
    to the date of its cancellation, and from the date on from which a branch is described.
#}
with

companies as (

    select * from {{ ref('int_companies_current') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_history') }}

),

branches as (

    select * from {{ ref('stg_raw__branches') }}

),

branches_from as (

    select
        branches.company_id,
        branches.branch_id,
        (min(branches.valid_from) at time zone companies.time_zone)::date as first_date
    from branches
    inner join companies on branches.company_id = companies.company_id
    where branches.received_at <= {{ known_at() }}
    group by branches.company_id, branches.branch_id, companies.time_zone

),

days as (

    select usage_day::date as usage_date
    from generate_series({{ window_start() }}, {{ window_end() }} - 1, interval '1 day') as usage_day

),

final as (

    select
        companies.company_id,
        coalesce(branches_from.branch_id, 0) as branch_id,
        days.usage_date
    from companies
    inner join days on companies.activated_on <= days.usage_date
    left join branches_from
        on
            companies.company_id = branches_from.company_id
            and days.usage_date >= branches_from.first_date
    where
        not exists (
            select from subscriptions
            where
                subscriptions.company_id = companies.company_id
                and subscriptions.status = 'cancelled'
                and days.usage_date > subscriptions.first_date
                and days.usage_date <= subscriptions.last_date
        )

)

select * from final
