with monthly as (select *, date_trunc('month', usage_date)::date as usage_month from fct_meter_usage_daily),
levels as (
    select company_id, meter, usage_month, sum(level) as level from (
        select company_id, meter, usage_month, arg_max(closing_level, usage_date) as level
        from monthly where aggregation = 'latest' group by company_id, meter, usage_month, branch_id
    ) group by all
), counted as (
    select company_id, meter, date_trunc('month', usage_date)::date as usage_month,
        count(distinct value) as count_values
    from int_meter_values group by all
), added_up as (
    select company_id, usage_month, meter, aggregation, sum(count_events)::int as count_events,
        sum(quantity) as total, max(quantity) as peak
    from monthly group by all
)
select company_id, usage_month, meter, aggregation, count_events,
    case aggregation when 'max' then peak when 'latest' then level when 'unique_count' then count_values
        else total end::decimal(20, 6) as quantity
from added_up left join levels using (company_id, meter, usage_month)
left join counted using (company_id, meter, usage_month)
