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

    select * from {{ ref('int_branches_current') }}

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
    left join branches
        on
            companies.company_id = branches.company_id
            and days.usage_date >= branches.first_date
    where
        not exists (
            select from subscriptions
            where
                subscriptions.company_id = companies.company_id
                and subscriptions.status = 'cancelled'
                and days.usage_date between subscriptions.first_date and subscriptions.last_date
                -- The date of the cancellation itself still counts.
                and (days.usage_date > subscriptions.first_date or subscriptions.status_before = 'cancelled')
        )

)

select * from final
