select company_id, usage_date, meter as metric_type, sum(count_events)::bigint as event_count,
    sum(quantity)::decimal(26, 6) as total_value,
    (sum(quantity) / nullif(sum(count_events), 0))::decimal(26, 6) as avg_value
from fct_meter_usage_daily where aggregation in ('count', 'sum') group by all
