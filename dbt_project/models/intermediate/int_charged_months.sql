with

lines as (

    select * from {{ ref('fct_rated_lines') }}
    where charge_kind = 'usage'

),

final as (

    select
        company_id,
        meter,
        usage_period as usage_month,
        sum(quantity) as quantity,
        case when min(currency) = max(currency) then sum(amount) end as amount,
        case when min(currency) = max(currency) then min(currency) end as currency,
        (array_agg(plan_key order by usage_date desc, rated_at desc, line_id desc))[1] as plan_key,
        (array_agg(plan_version order by usage_date desc, rated_at desc, line_id desc))[1] as plan_version
    from lines
    group by company_id, meter, usage_period

)

select * from final
