with

closed_periods as (

    select * from {{ source('billing', 'closed_periods') }}

),

final as (

    select
        usage_period,
        closed_at
    from closed_periods

)

select * from final
