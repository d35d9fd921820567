{{ config(materialized='table', full_refresh=none, tags=['usage']) }}

{% set first_dates = {'today': 'usage_date', 'week': 'usage_week', 'month': 'usage_month'} %}

with

periods as (

    select * from {{ ref('int_company_periods') }}

),

days as (

    select * from {{ ref('int_recent_days') }}

),

customers as (

    select * from {{ ref('int_meter_values') }}
    where
        {{ is_recent('usage_date') }}
        and meter = 'customers'

),

added_up as (

    select
        periods.company_id,
        {% for period, first_date in first_dates.items() %}
            {% for measure in ('calls', 'bookings', 'seconds', 'appointments', 'events') %}
                coalesce(
                    sum(days.{{ measure }}) filter (where days.usage_date >= periods.{{ first_date }}), 0
                ) as {{ period }}_{{ measure }},
            {% endfor %}
        {% endfor %}
        sum(days.share_passed) filter (where days.usage_date >= periods.usage_month) as month_elapsed_days,
        count(*) filter (where days.usage_date >= periods.usage_month)
        + (periods.month_ends_on - max(days.usage_date)) as month_days,
        max(days.usage_date) >= periods.usage_date - 1 as is_active
    from periods
    left join days on periods.company_id = days.company_id
    group by periods.company_id, periods.usage_date, periods.usage_week, periods.usage_month, periods.month_ends_on

),

last_seen as (

    select
        customers.company_id,
        customers.value,
        max(customers.usage_date) as usage_date
    from customers
    inner join periods on customers.company_id = periods.company_id
    where customers.usage_date between least(periods.usage_month, periods.usage_week) and periods.usage_date
    group by customers.company_id, customers.value

),

counted as (

    select
        periods.company_id,
        {% for period, first_date in first_dates.items() %}
            count(*) filter (where last_seen.usage_date >= periods.{{ first_date }}) as {{ period }}_unique_customers
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from periods
    inner join last_seen on periods.company_id = last_seen.company_id
    group by periods.company_id

),

-- The running day would look like a fall, so whole days are compared, each with the same weekday a week before.
weeks as (

    select
        periods.company_id,
        round(sum(days.calls)::numeric / nullif(sum(days_before.calls), 0) - 1, 4) as week_calls_change
    from periods
    inner join days
        on
            periods.company_id = days.company_id
            and periods.usage_week <= days.usage_date
            and periods.usage_date > days.usage_date
    inner join days as days_before
        on
            days.company_id = days_before.company_id
            and days.usage_date - 7 = days_before.usage_date
    group by periods.company_id

),

final as (

    select
        periods.company_id,
        {{ known_at() }} as known_at,
        periods.usage_date,
        periods.usage_week,
        periods.usage_month,
        {% for period in first_dates %}
            added_up.{{ period }}_calls::integer as {{ period }}_calls,
            added_up.{{ period }}_bookings::integer as {{ period }}_bookings,
            round(added_up.{{ period }}_seconds / 60.0, 2)::numeric(20, 2) as {{ period }}_minutes,
            added_up.{{ period }}_appointments::integer as {{ period }}_appointments,
            added_up.{{ period }}_events::integer as {{ period }}_events,
            coalesce(counted.{{ period }}_unique_customers, 0)::integer as {{ period }}_unique_customers,
        {% endfor %}
        weeks.week_calls_change::numeric(14, 4) as week_calls_change,
        {{ trend_of('weeks.week_calls_change') }} as week_trend,
        coalesce(added_up.month_elapsed_days, 0)::numeric(8, 4) as month_elapsed_days,
        {% for measure, usage in {
            'calls': 'month_calls', 'minutes': 'month_seconds / 60.0', 'appointments': 'month_appointments'
        }.items() %}
            case
                when added_up.is_active and added_up.month_elapsed_days >= 1
                    then round(added_up.{{ usage }} / added_up.month_elapsed_days * added_up.month_days, 2)
            end::numeric(20, 2) as month_projected_{{ measure }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from periods
    inner join added_up on periods.company_id = added_up.company_id
    left join counted on periods.company_id = counted.company_id
    left join weeks on periods.company_id = weeks.company_id

)

select * from final
