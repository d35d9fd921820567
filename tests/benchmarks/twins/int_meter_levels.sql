select company_id, branch_id, meter, usage_date, aggregation, count(*)::int as count_events,
    case aggregation when 'weighted_sum' then sum(number_value)
        else arg_max(number_value, (occurred_at, source, event_id)) end::decimal(20, 6) as reading,
    coalesce(sum(number_value * epoch(day_ends_at - occurred_at) / 3600)
        filter (where aggregation = 'weighted_sum'), 0)::decimal(26, 6) as unit_hours
from metered inner join company_days using (company_id, usage_date)
where aggregation in ('latest', 'weighted_sum')
group by company_id, branch_id, meter, usage_date, aggregation
