{{
    config(
        materialized='incremental',
        date_column='usage_date',
        carried_rows='closing_level is not null',
        indexes=[{'columns': ['usage_date']}],
        tags=['usage']
    )
}}

with

events as (

    select * from {{ ref('int_metered_events') }}

),

unique_values as (

    select * from {{ ref('int_meter_values') }}
    where {{ is_in_window('usage_date') }}

),

carried as (

    select * from {{ ref('int_carried_levels') }}

),

added_up as (

    select
        company_id,
        branch_id,
        meter,
        usage_date,
        aggregation,
        count(*) as count_events,
        case aggregation
            when 'count' then count(*)
            when 'sum' then sum(number_value)
            when 'max' then max(number_value)
        end as quantity
    from events
    where
        aggregation = 'count'
        or (aggregation in ('sum', 'max') and number_value is not null)
    group by company_id, branch_id, meter, usage_date, aggregation

),

counted as (

    select
        company_id,
        branch_id,
        meter,
        usage_date,
        sum(count_events) as count_events,
        count(*) as quantity
    from unique_values
    group by company_id, branch_id, meter, usage_date

),

final as (

    select
        company_id,
        usage_date,
        branch_id,
        meter,
        aggregation,
        count_events::integer as count_events,
        quantity::numeric(26, 6) as quantity,
        null::numeric(26, 6) as closing_level
    from added_up
    union all
    select
        company_id,
        usage_date,
        branch_id,
        meter,
        'unique_count' as aggregation,
        count_events::integer as count_events,
        quantity::numeric(26, 6) as quantity,
        null as closing_level
    from counted
    union all
    select
        company_id,
        usage_date,
        branch_id,
        meter,
        aggregation,
        count_events::integer as count_events,
        quantity::numeric(26, 6) as quantity,
        closing_level::numeric(26, 6) as closing_level
    from carried

)

select * from final
