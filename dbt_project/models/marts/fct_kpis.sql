{{ config(materialized='table', full_refresh=none, grants={'select': ['bi_reader']}, tags=['reporting']) }}

with

definitions as (

    select * from {{ ref('kpi_definitions') }}

),

months as (

    select * from {{ ref('int_report_months') }}

),

computed as (

    select * from {{ ref('int_kpis_of_subscriptions') }}
    union all
    select * from {{ ref('int_kpis_of_activations') }}
    union all
    select * from {{ ref('int_kpis_of_usage') }}

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

final as (

    select
        due.usage_month,
        due.kpi,
        coalesce(told.unit, due.unit) as unit,
        coalesce(computed.numerator::numeric / computed.denominator, told.value)::numeric(20, 6) as value,
        computed.numerator::numeric(20, 6) as numerator,
        computed.denominator::numeric(20, 6) as denominator,
        case when computed.kpi is not null then 'pipeline' when told.kpi is not null then 'feed' end as source,
        case
            when computed.kpi is null and told.kpi is null
                then
                    coalesce(
                        due.reason,
                        case
                            when due.is_final then 'There is nothing to divide by.'
                            else 'The figure of this month is not final yet.'
                        end
                    )
        end as reason
    from due
    left join computed
        on
            due.usage_month = computed.usage_month
            and due.kpi = computed.kpi
            and due.is_final
            and computed.denominator > 0
    left join told
        on
            due.usage_month = told.usage_month
            and due.kpi = told.kpi

)

select * from final
