with

plans as (

    select * from {{ source('raw', 'plans') }}

),

final as (

    select
        plan_id,
        plan_key,
        version as plan_version,
        currency,
        valid_from,
        terms,
        received_at
    from plans

)

select * from final
