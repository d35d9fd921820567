{{ config(materialized='table', full_refresh=none, tags=['reference']) }}

with

meters as (

    select * from {{ ref('billable_meters') }}

),

final as (

    select
        meter,
        event_type,
        aggregation,
        value_field,
        filter,
        unit,
        {{ is_additive('aggregation') }} as is_additive,
        case aggregation
            when 'max' then 'the largest of the days'
            when 'unique_count' then 'each value once, on however many days it came'
            when 'latest' then 'the level at the end of the last day'
            else 'the sum of the days'
        end as days_to_period,
        case aggregation
            when 'max' then 'the largest of the branches'
            when 'unique_count' then 'each value once, at however many branches it came'
            when 'latest' then 'the sum of the branches'' last levels'
            else 'the sum of the branches'
        end as branches_to_company
    from meters

)

select * from final
