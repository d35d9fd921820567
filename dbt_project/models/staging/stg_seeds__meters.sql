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
        nullif(split_part(filter, '=', 1), '') as filter_field,
        substr(filter, position('=' in filter) + 1) as filter_value,
        unit,
        is_priced_by_event
    from meters

)

select * from final
