{# What a month of each plan includes, in units of the meters. #}
with

plans as (

    select * from {{ ref('stg_raw__plans') }}

),

charges as (

    select
        plans.plan_key,
        plans.version as plan_version,
        charge.terms ->> 'meter' as meter,
        (charge.terms ->> 'included')::numeric * coalesce((charge.terms ->> 'per')::numeric, 1) as included_units
    from plans
    cross join lateral jsonb_array_elements(plans.charges) as charge (terms)

),

final as (

    select
        plan_key,
        plan_version,
        jsonb_object_agg(meter, included_units) as plan_limits
    from charges
    where included_units > 0
    group by plan_key, plan_version

)

select * from final
