{{ config(materialized='table', full_refresh=none, grants={'select': ['bi_reader']}, tags=['reporting']) }}

with

recommendations as (

    select * from {{ ref('fct_recommendations') }}
    where is_accepted

),

companies as (

    select * from {{ ref('int_companies_current') }}

),

decided as (

    select
        recommendations.company_id,
        recommendations.currency,
        recommendations.action,
        recommendations.projected_savings,
        recommendations.realised_savings,
        date_trunc('month', recommendations.actioned_at at time zone companies.time_zone)::date as usage_month
    from recommendations
    inner join companies on recommendations.company_id = companies.company_id

),

final as (

    select
        usage_month,
        currency,
        (count(*))::integer as count_accepted,
        (count(*) filter (where action = 'switch'))::integer as count_switches,
        sum(projected_savings)::numeric(14, 2) as projected_savings,
        count(realised_savings)::integer as count_realised,
        (sum(projected_savings) filter (where realised_savings is not null))::numeric(14, 2) as projected_of_realised,
        sum(realised_savings)::numeric(14, 2) as realised_savings
    from decided
    group by usage_month, currency

)

select * from final
