with seen as (
    select company_id, value, usage_date, sum(total_revenue) as revenue
    from int_meter_values where meter = 'customers' group by all
), newcomers as (
    select company_id, usage_date, count(*) as new_customers
    from (select company_id, min(usage_date) as usage_date from seen group by company_id, value) group by all
), by_day as (
    select company_id, usage_date, count(*) as unique_customers, sum(revenue) as customer_revenue
    from seen group by all
), added_up as (
    select company_id, usage_date, currency, coalesce(unique_customers, 0)::int as unique_customers,
        coalesce(new_customers, 0)::int as new_customers,
        coalesce(customer_revenue, 0)::decimal(20, 2) as customer_revenue
    from (select distinct company_id, usage_date, currency from fct_usage_daily)
    left join by_day using (company_id, usage_date) left join newcomers using (company_id, usage_date)
), so_far as (
    select *, unique_customers - new_customers as returning_customers,
        (new_customers / nullif(unique_customers, 0))::decimal(5, 4) as new_customer_share,
        sum(new_customers) over (partition by company_id order by usage_date)::int as lifetime_customers,
        sum(customer_revenue) over (partition by company_id, currency order by usage_date)::decimal(20, 2)
            as lifetime_revenue
    from added_up
)
select *, (lifetime_revenue / nullif(lifetime_customers, 0))::decimal(20, 2) as lifetime_value from so_far
