with dated as (
    select *, timezone(time_zone, activated_at)::date as activated_on,
        timezone(time_zone, now())::date - activated_on as lifecycle_day
    from companies
), collected as (
    select company_id, sum(total_events)::int as data_points
    from fct_usage_daily inner join dated using (company_id)
    where usage_date >= activated_on and usage_date < activated_on + 14 group by company_id
), subscribed as (
    select distinct on (company_id) company_id, plan_key, plan_version, status as subscription_status,
        stripe_customer_id
    from subscriptions where valid_from <= now() order by company_id, valid_from desc
)
select dated.*, subscribed.* exclude (company_id),
    case when subscription_status = 'cancelled' then 'cancelled' when lifecycle_day < 0 then 'not_started'
        when lifecycle_day < 7 then 'collecting' when lifecycle_day < 14 then 'first_insights'
        else 'recommending' end as lifecycle_phase,
    least(greatest(lifecycle_day, 0), 14)::int as days_collected, 14 as days_required,
    14 - days_collected as days_remaining, coalesce(data_points, 0) as data_points_collected,
    100 as data_points_required,
    least(1, days_collected / 14, data_points_collected / 100)::decimal(5, 4) as collection_progress
from dated left join collected using (company_id) left join subscribed using (company_id)
