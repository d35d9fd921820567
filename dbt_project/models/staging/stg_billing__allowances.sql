with

allowances as (

    select * from {{ source('billing', 'allowances') }}

),

final as (

    select
        company_id,
        usage_period,
        meter,
        included_quantity,
        limit_quantity,
        on_breach
    from allowances

)

select * from final
