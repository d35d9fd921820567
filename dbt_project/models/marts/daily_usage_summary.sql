{{ config(materialized='view', tags=['usage']) }}

with

daily as (

    select * from {{ ref('fct_meter_usage_daily') }}
    where aggregation in ('count', 'sum')

),

final as (

    select
        company_id,
        usage_date,
        meter as metric_type,
        sum(count_events)::bigint as event_count,
        sum(quantity)::numeric(26, 6) as total_value,
        round(sum(quantity) / nullif(sum(count_events), 0), 6)::numeric(26, 6) as avg_value
    from daily
    group by company_id, usage_date, meter

)

select * from final
