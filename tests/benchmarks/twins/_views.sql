create view days as select distinct usage_date from events;
create view company_days as
select company_id, usage_date, time_zone, currency, timezone(time_zone, usage_date::timestamp) as day_starts_at,
    timezone(time_zone, (usage_date + 1)::timestamp) as day_ends_at
from companies, days;
create view spine as
select company_id, coalesce(branch_id, 0) as branch_id, usage_date
from companies cross join days left join branches using (company_id)
where timezone(time_zone, activated_at)::date <= usage_date and not exists (
    from subscriptions where subscriptions.company_id = companies.company_id and status = 'cancelled'
        and subscriptions.valid_from::date < usage_date
);
create view metered as
select events.company_id, branch_id, usage_date, occurred_at, source, event_id, revenue, meter, aggregation,
    is_priced_by_event,
    case value_field when 'quantity' then quantity when 'duration_seconds' then duration_seconds
        when 'revenue' then revenue end as number_value,
    case when aggregation = 'unique_count' then case value_field
    when 'hours' then case when is_after_hours then 'after' else 'business' end
    when 'time_of_day' then case when local_minute between 8 * 60 and 20 * 60 - 1 then 'peak' else 'off_peak' end
    when 'outcome' then outcome when 'service' then service when 'channel' then channel when 'customer' then customer
    else json_extract_string(properties, '$.' || value_field) end end as text_value
from events inner join (
    select distinct types.event_type, meters.* exclude (event_type)
    from meters inner join (select distinct event_type from events) as types
        on meters.event_type in (types.event_type, '*')
) as meters using (event_type)
where filter_field is null or case filter_field
    when 'hours' then case when is_after_hours then 'after' else 'business' end
    when 'time_of_day' then case when local_minute between 8 * 60 and 20 * 60 - 1 then 'peak' else 'off_peak' end
    when 'outcome' then outcome when 'service' then service when 'channel' then channel when 'customer' then customer
    else json_extract_string(properties, '$.' || filter_field) end = filter_value;
create view subscribed as
select company_id, plan_key, plan_version, timezone(time_zone, valid_from)::date as first_date,
    coalesce(lead(first_date) over (partition by company_id order by valid_from) - 1, date '9999-12-31') as last_date
from subscriptions inner join companies using (company_id);
create view plan_limits as
select plan_key, version as plan_version, json_group_object(meter, included) as plan_limits
from (
    select plan_key, version, charge->>'meter' as meter,
        (charge->>'included')::decimal(20, 6) * coalesce((charge->>'per')::decimal(20, 6), 1) as included
    from (select plan_key, version, unnest(charges::json[]) as charge from plans)
) where included > 0 group by all;
