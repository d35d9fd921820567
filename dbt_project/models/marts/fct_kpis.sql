{{ config(materialized='table', full_refresh=none, grants={'select': ['bi_reader']}, tags=['reporting']) }}

with

definitions as (

    select * from {{ ref('kpi_definitions') }}

),

months as (

    select * from {{ ref('int_report_months') }}

),

rates as (

    select * from {{ ref('int_kpis_of_subscriptions') }}
    union all
    select * from {{ ref('int_kpis_of_activations') }}
    union all
    select * from {{ ref('int_kpis_of_usage') }}

),

revenue as (

    select * from {{ ref('int_kpis_of_revenue') }}

),

told as (

    select distinct on (usage_month, kpi, unit) *
    from {{ ref('stg_raw__kpis') }}
    where received_at <= {{ known_at() }}
    order by usage_month asc, kpi asc, unit asc, received_at desc

),

due as (

    select
        months.usage_month,
        definitions.kpi,
        definitions.unit,
        definitions.reason,
        months.next_month + definitions.final_after_days <= months.unfinished_date as is_final
    from months
    cross join definitions

),

computed as (

    select
        usage_month,
        kpi,
        unit,
        numerator,
        denominator
    from revenue
    union all
    select
        rates.usage_month,
        rates.kpi,
        definitions.unit,
        rates.numerator,
        rates.denominator
    from rates
    inner join definitions on rates.kpi = definitions.kpi

),

final_ones as (

    select computed.*
    from computed
    inner join due
        on
            computed.usage_month = due.usage_month
            and computed.kpi = due.kpi
    where due.is_final

),

-- Of money there is a row per currency that was charged or told.
figures as (

    select
        coalesce(final_ones.usage_month, told.usage_month) as usage_month,
        coalesce(final_ones.kpi, told.kpi) as kpi,
        coalesce(final_ones.unit, told.unit) as unit,
        case when final_ones.denominator > 0 then final_ones.numerator end as numerator,
        case when final_ones.denominator > 0 then final_ones.denominator end as denominator,
        told.value as told_value
    from final_ones
    full join told
        on
            final_ones.usage_month = told.usage_month
            and final_ones.kpi = told.kpi
            and final_ones.unit = told.unit

),

final as (

    select
        due.usage_month,
        due.kpi,
        coalesce(figures.unit, due.unit) as unit,
        coalesce(figures.numerator::numeric / figures.denominator, figures.told_value)::numeric(20, 6) as value,
        figures.numerator::numeric(20, 6) as numerator,
        figures.denominator::numeric(20, 6) as denominator,
        case
            when figures.denominator is not null then 'pipeline'
            when figures.told_value is not null then 'feed'
        end as source,
        case
            when figures.denominator is not null or figures.told_value is not null then null
            when due.reason is not null then due.reason
            when not due.is_final then 'The figure of this month is not final yet.'
            when figures.kpi is null and due.unit = 'currency' then 'Nothing had been charged by then.'
            else 'There is nothing to divide by.'
        end as reason
    from due
    left join figures
        on
            due.usage_month = figures.usage_month
            and due.kpi = figures.kpi

)

select * from final
