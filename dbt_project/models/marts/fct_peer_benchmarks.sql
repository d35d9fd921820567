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

final as (

    select
        companies.industry,
        usage_of_months.usage_month,
        usage_of_months.meter,
        count(*)::integer as count_companies,
        percentile_cont(0.25) within group (
            order by usage_of_months.quantity
        )::numeric(20, 6) as quantity_p25,
        percentile_cont(0.5) within group (
            order by usage_of_months.quantity
        )::numeric(20, 6) as quantity_median,
        percentile_cont(0.75) within group (
            order by usage_of_months.quantity
        )::numeric(20, 6) as quantity_p75
    from usage_of_months
    inner join companies
        on
            usage_of_months.company_id = companies.company_id
            and usage_of_months.last_date between companies.first_date and companies.last_date
    inner join meters on usage_of_months.meter = meters.meter
    group by companies.industry, usage_of_months.usage_month, usage_of_months.meter
    having count(*) >= {{ var('peer_minimum') }}

)

select * from final
