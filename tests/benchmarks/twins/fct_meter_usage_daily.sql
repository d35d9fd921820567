with added_up as (
    select company_id, branch_id, meter, usage_date, aggregation, count(*) as count_events,
        case aggregation when 'count' then count(*) when 'sum' then sum(number_value)
            else max(number_value) end as quantity
    from metered
    where aggregation = 'count' or (aggregation in ('sum', 'max') and number_value is not null)
    group by company_id, branch_id, meter, usage_date, aggregation
), counted as (
    select company_id, branch_id, meter, usage_date, sum(count_events) as count_events, count(*) as quantity
    from int_meter_values group by company_id, branch_id, meter, usage_date
), company_hours as (
    select distinct company_id, usage_date, hours_in_day from fct_usage_daily
), dated as (
    select *, case aggregation when 'weighted_sum' then sum(reading) over held
        else last_value(reading ignore nulls) over held end as closing_level
    from (select distinct company_id, branch_id, meter, aggregation from int_meter_levels)
    inner join company_hours using (company_id)
    left join int_meter_levels using (company_id, branch_id, meter, aggregation, usage_date)
    window held as (partition by company_id, branch_id, meter order by usage_date)
)
select company_id, usage_date, branch_id, meter, aggregation, count_events::int as count_events,
    quantity::decimal(20, 6) as quantity, null::decimal(20, 6) as closing_level from added_up
union all
select company_id, usage_date, branch_id, meter, 'unique_count', count_events::int, quantity, null from counted
union all
select company_id, usage_date, branch_id, meter, aggregation, coalesce(count_events, 0),
    case aggregation when 'latest' then closing_level else
        (closing_level - coalesce(reading, 0)) * hours_in_day + coalesce(unit_hours, 0) end,
    closing_level
from dated where closing_level is not null
