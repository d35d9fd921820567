with placed as (
    select months.*, coalesce(country, 'unknown') as country, coalesce(region, 'unknown') as region,
        coalesce(city, 'unknown') as city
    from fct_usage_monthly as months inner join companies using (company_id)
    left join branches on months.company_id = branches.company_id and months.branch_id = branches.branch_id
        and timezone(time_zone, valid_from)::date <= last_day(usage_month)
), added_up as (
    select company_id, usage_month, country, region, city,
        count(*) filter (where branch_id <> 0)::int as count_branches, sum(total_events)::int as total_events,
        sum(total_calls)::int as total_calls, sum(total_seconds)::bigint as total_seconds,
        sum(total_appointments)::int as total_appointments,
        case when min(coalesce(currency, '')) = max(currency) then sum(total_revenue) end::decimal(20, 2)
            as total_revenue,
        case when min(coalesce(currency, '')) = max(currency) then max(currency) end as currency
    from placed group by company_id, usage_month, country, region, city
), counted as (
    select placed.company_id, usage_month, country, region, city, count(distinct value)::int as unique_customers
    from int_meter_values as customers inner join placed
        on customers.company_id = placed.company_id and customers.branch_id = placed.branch_id
        and date_trunc('month', usage_date)::date = usage_month
    where meter = 'customers' group by all
)
select added_up.*, coalesce(unique_customers, 0) as unique_customers,
    (total_calls / nullif(sum(total_calls) over (partition by company_id, usage_month), 0))::decimal(5, 4)
        as share_of_calls
from added_up left join counted using (company_id, usage_month, country, region, city)
