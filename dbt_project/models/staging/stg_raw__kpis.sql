with

kpis as (

    select * from {{ source('raw', 'kpis') }}

),

final as (

    select
        month as usage_month,
        kpi,
        unit,
        received_at,
        value
    from kpis

)

select * from final
