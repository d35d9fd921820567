{{
    config(
        materialized='incremental',
        date_column='usage_date',
        indexes=[{'columns': ['usage_date']}],
        tags=['usage']
    )
}}

with

events as (

    select * from {{ ref('int_metered_events') }}
    where
        aggregation = 'unique_count'
        and text_value is not null

),

final as (

    select
        company_id,
        meter,
        text_value as value,
        usage_date,
        branch_id,
        count(*)::integer as count_events,
        coalesce(sum(revenue), 0)::numeric(20, 6) as total_revenue
    from events
    group by company_id, meter, text_value, usage_date, branch_id

)

select * from final
