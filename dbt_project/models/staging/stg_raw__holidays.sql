with

holidays as (

    select * from {{ source('raw', 'holidays') }}

),

final as (

    select
        country::text as country,
        holiday_date,
        name
    from holidays

)

select * from final
