select company_id, meter, text_value as value, usage_date, branch_id, count(*)::int as count_events,
    coalesce(sum(revenue), 0)::decimal(20, 6) as total_revenue
from metered where aggregation = 'unique_count' and text_value is not null
group by company_id, meter, text_value, usage_date, branch_id
