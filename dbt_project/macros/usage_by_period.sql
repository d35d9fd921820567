{#
    The usage of each company and branch in each week or month of the window, one row per period. What adds up is summed
    over days, customers are counted anew over the period, and rates and averages come from the period's own sums.

    Revenue of two currencies does not add up, so it is null, like its currency, where the company changed its own.
#}
{% macro usage_by_period(grain, onward=False) -%}
    {%- set period = "date_trunc('" ~ grain ~ "', usage_date)::date" -%}
    select
        added_up.*,
        coalesce(counted.unique_customers, 0) as unique_customers,
        round(added_up.total_seconds / 60.0, 2) as total_minutes,
        coalesce(round(added_up.total_seconds / 60.0 / nullif(added_up.total_calls, 0), 2), 0) as avg_call_duration,
        coalesce(
            round(100.0 * added_up.successful_bookings / nullif(added_up.total_calls, 0), 2), 0
        ) as conversion_rate,
        round(
            added_up.calls_on_complete_days::numeric / nullif(added_up.count_complete_days, 0), 6
        ) as calls_per_day
    from (
        select
            company_id,
            branch_id,
            {{ period }} as usage_{{ grain }},
            count(*) as count_days,
            count(*) filter (where is_day_complete) as count_complete_days,
            sum(total_events) as total_events,
            sum(total_calls) as total_calls,
            coalesce(sum(total_calls) filter (where is_day_complete), 0) as calls_on_complete_days,
            sum(total_seconds) as total_seconds,
            sum(successful_bookings) as successful_bookings,
            sum(failed_bookings) as failed_bookings,
            sum(total_appointments) as total_appointments,
            case when min(currency) = max(currency) then sum(total_revenue) end as total_revenue,
            case when min(currency) = max(currency) then min(currency) end as currency,
            max(peak_hour_calls) as peak_hour_calls,
            sum(after_hours_calls) as after_hours_calls
        from {{ ref('fct_usage_daily') }}
        where {{ is_in_window('usage_date', grain, onward) }}
        group by company_id, branch_id, {{ period }}
    ) as added_up
    left join (
        select
            company_id,
            branch_id,
            {{ period }} as usage_{{ grain }},
            count(distinct value) as unique_customers
        from {{ ref('int_meter_values') }}
        where
            {{ is_in_window('usage_date', grain, onward) }}
            and meter = 'customers'
        group by company_id, branch_id, {{ period }}
    ) as counted
        on
            added_up.company_id = counted.company_id
            and added_up.branch_id = counted.branch_id
            and added_up.usage_{{ grain }} = counted.usage_{{ grain }}
{%- endmacro %}
