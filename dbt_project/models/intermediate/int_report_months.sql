{# The months of figures: from the first activation to the running month, and those that the feed names. #}
with

companies as (

    select * from {{ ref('int_companies_current') }}

),

kpis as (

    select * from {{ ref('stg_raw__kpis') }}
    where received_at <= {{ known_at() }}

),

months as (

    select
        generate_series(
            date_trunc('month', min(activated_on)), {{ known_at() }} at time zone 'UTC', interval '1 month'
        )::date as usage_month
    from companies
    union
    select usage_month from kpis

),

final as (

    select
        usage_month,
        (usage_month + interval '1 month')::date as next_month,
        {{ unfinished_date() }} as unfinished_date
    from months

)

select * from final
