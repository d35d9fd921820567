{{
    config(
        materialized='incremental',
        date_column='usage_month',
        window_grain='month',
        onward=true,
        indexes=[{'columns': ['usage_month']}],
        tags=['usage']
    )
}}

with

daily as (

    select
        *,
        date_trunc('month', usage_date)::date as usage_month
    from {{ ref('fct_meter_usage_daily') }}
    where {{ is_in_window('usage_date', 'month', onward=True) }}

),

unique_values as (

    select
        *,
        date_trunc('month', usage_date)::date as usage_month
    from {{ ref('int_meter_values') }}
    where {{ is_in_window('usage_date', 'month', onward=True) }}

),

-- The level of a company is the sum of its branches' last levels of the month.
last_levels as (

    select distinct on (company_id, meter, usage_month, branch_id)
        company_id,
        meter,
        usage_month,
        branch_id,
        closing_level
    from daily
    where aggregation = 'latest'
    order by company_id asc, meter asc, usage_month asc, branch_id asc, usage_date desc

),

levels as (

    select
        company_id,
        meter,
        usage_month,
        sum(closing_level) as level
    from last_levels
    group by company_id, meter, usage_month

),

counted as (

    select
        company_id,
        meter,
        usage_month,
        count(distinct value) as count_values
    from unique_values
    group by company_id, meter, usage_month

),

added_up as (

    select
        company_id,
        meter,
        usage_month,
        aggregation,
        sum(count_events) as count_events,
        sum(quantity) as total,
        max(quantity) as peak
    from daily
    group by company_id, meter, usage_month, aggregation

),

final as (

    select
        added_up.company_id,
        added_up.usage_month,
        added_up.meter,
        added_up.aggregation,
        added_up.count_events::integer as count_events,
        case added_up.aggregation
            when 'max' then added_up.peak
            when 'latest' then levels.level
            when 'unique_count' then counted.count_values
            else added_up.total
        end::numeric(26, 6) as quantity
    from added_up
    left join levels
        on
            added_up.company_id = levels.company_id
            and added_up.meter = levels.meter
            and added_up.usage_month = levels.usage_month
    left join counted
        on
            added_up.company_id = counted.company_id
            and added_up.meter = counted.meter
            and added_up.usage_month = counted.usage_month

)

select * from final
