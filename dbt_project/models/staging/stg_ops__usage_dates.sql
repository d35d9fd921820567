with

usage_dates as (

    select * from {{ source('ops', 'usage_date_state') }}

),

final as (

    select usage_date from usage_dates

)

select * from final
