with

branches as (

    select * from {{ source('raw', 'branches') }}

),

final as (

    select
        company_id,
        branch_id,
        valid_from,
        received_at,
        name,
        city,
        region
    from branches

)

select * from final
