with

loads as (

    select * from {{ source('raw', 'loads') }}

),

final as (

    select
        load_id,
        feed,
        file_name,
        status,
        received_at
    from loads

)

select * from final
