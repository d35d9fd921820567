{{
    config(
        materialized='incremental',
        date_column='usage_month',
        window_grain='month',
        indexes=[{'columns': ['usage_month']}],
        tags=['usage']
    )
}}

with

monthly as (

    select
        *,
        (usage_month + interval '1 month')::date - 1 as month_ends_on
    from {{ ref('fct_usage_monthly') }}
    where {{ is_in_window('usage_month', 'month') }}

),

companies as (

    select * from {{ ref('int_companies_history') }}

),

branches as (

    select * from {{ ref('int_branches_history') }}

),

customers as (

    select * from {{ ref('int_meter_values') }}
    where
        {{ is_in_window('usage_date', 'month') }}
        and meter = 'customers'

),

placed as (

    select
        monthly.*,
        coalesce(companies.country, 'unknown') as country,
        coalesce(branches.region, 'unknown') as region,
        coalesce(branches.city, 'unknown') as city
    from monthly
    left join companies
        on
            monthly.company_id = companies.company_id
            and monthly.month_ends_on between companies.first_date and companies.last_date
    left join branches
        on
            monthly.company_id = branches.company_id
            and monthly.branch_id = branches.branch_id
            and monthly.month_ends_on between branches.first_date and branches.last_date

),

added_up as (

    select
        company_id,
        usage_month,
        country,
        region,
        city,
        count(*) filter (where branch_id <> 0) as count_branches,
        sum(total_events) as total_events,
        sum(total_calls) as total_calls,
        sum(total_seconds) as total_seconds,
        sum(total_appointments) as total_appointments,
        -- A month of two currencies has no revenue that could be added.
        case when min(coalesce(currency, '')) = max(currency) then sum(total_revenue) end as total_revenue,
        case when min(coalesce(currency, '')) = max(currency) then max(currency) end as currency
    from placed
    group by company_id, usage_month, country, region, city

),

counted as (

    select
        placed.company_id,
        placed.usage_month,
        placed.country,
        placed.region,
        placed.city,
        count(distinct customers.value) as unique_customers
    from placed
    inner join customers
        on
            placed.company_id = customers.company_id
            and placed.branch_id = customers.branch_id
            and customers.usage_date between placed.usage_month and placed.month_ends_on
    group by placed.company_id, placed.usage_month, placed.country, placed.region, placed.city

),

final as (

    select
        added_up.company_id,
        added_up.usage_month,
        added_up.country,
        added_up.region,
        added_up.city,
        added_up.count_branches::integer as count_branches,
        added_up.total_events::integer as total_events,
        added_up.total_calls::integer as total_calls,
        added_up.total_seconds::bigint as total_seconds,
        added_up.total_appointments::integer as total_appointments,
        added_up.total_revenue::numeric(20, 2) as total_revenue,
        added_up.currency,
        coalesce(counted.unique_customers, 0)::integer as unique_customers,
        round(
            added_up.total_calls
            / nullif(sum(added_up.total_calls) over (partition by added_up.company_id, added_up.usage_month), 0),
            4
        )::numeric(5, 4) as share_of_calls
    from added_up
    left join counted
        on
            added_up.company_id = counted.company_id
            and added_up.usage_month = counted.usage_month
            and added_up.country = counted.country
            and added_up.region = counted.region
            and added_up.city = counted.city

)

select * from final
