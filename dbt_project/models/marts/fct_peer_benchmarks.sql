{{
    config(
        materialized='incremental',
        date_column='usage_month',
        window_grain='month',
        onward=true,
        tags=['usage']
    )
}}

with

usage_of_months as (

    select
        *,
        (usage_month + interval '1 month' - interval '1 day')::date as last_date
    from {{ ref('fct_meter_usage_monthly') }}
    where {{ is_in_window('usage_month', 'month', onward=True) }}

),

companies as (

    select * from {{ ref('int_companies_history') }}

),

-- Money is left out: companies bill in different currencies.
meters as (

    select * from {{ ref('stg_seeds__meters') }}
    where value_field is distinct from 'revenue'

),

quartiles as (

    select
        companies.industry,
        usage_of_months.usage_month,
        usage_of_months.meter,
        count(*) as count_companies,
        percentile_cont(array[0.25, 0.5, 0.75]) within group (
            order by usage_of_months.quantity
        )::numeric[] as quantities
    from usage_of_months
    inner join companies
        on
            usage_of_months.company_id = companies.company_id
            and usage_of_months.last_date between companies.first_date and companies.last_date
    inner join meters on usage_of_months.meter = meters.meter
    where usage_of_months.quantity > 0
    group by companies.industry, usage_of_months.usage_month, usage_of_months.meter
    having count(*) >= {{ var('peer_minimum') }}

),

-- In a small group a quartile is a company's own figure, so only two digits of it are shown.
final as (

    select
        industry,
        usage_month,
        meter,
        count_companies::integer as count_companies,
        {{ two_digits('quantities[1]') }}::numeric(26, 6) as quantity_p25,
        {{ two_digits('quantities[2]') }}::numeric(26, 6) as quantity_median,
        {{ two_digits('quantities[3]') }}::numeric(26, 6) as quantity_p75
    from quartiles

)

select * from final
