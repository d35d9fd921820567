select company_id, usage_date, meter, source, event_id, branch_id, occurred_at, number_value::decimal(20, 6) as quantity
from metered where is_priced_by_event and number_value is not null
