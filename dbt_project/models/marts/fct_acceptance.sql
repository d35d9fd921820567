{{ config(materialized='table', full_refresh=none, grants={'select': ['bi_reader']}, tags=['reporting']) }}

with

recommendations as (

    select * from {{ ref('fct_recommendations') }}

),

added_up as (

    select
        usage_month,
        count(*) as count_recommendations,
        count(*) filter (where is_decided) as count_decided,
        count(*) filter (where is_accepted) as count_accepted,
        count(*) filter (where is_expired) as count_expired,
        count(*) filter (where is_superseded) as count_superseded
    from recommendations
    group by usage_month

),

final as (

    select
        usage_month,
        count_recommendations::integer as count_recommendations,
        count_decided::integer as count_decided,
        count_accepted::integer as count_accepted,
        count_expired::integer as count_expired,
        count_superseded::integer as count_superseded,
        (count_accepted::numeric / nullif(count_decided, 0))::numeric(5, 4) as acceptance_rate
    from added_up

)

select * from final
