with

rated_usage as (

    select * from {{ source('billing', 'rated_usage') }}

),

final as (

    select
        company_id,
        line_id,
        usage_period,
        invoice_period,
        plan_key,
        plan_version,
        charge,
        meter,
        usage_date,
        quantity,
        unit,
        unit_price,
        tier,
        amount,
        currency::text as currency,
        detail,
        corrects,
        rated_at
    from rated_usage

)

select * from final
