{# Where each company stands in its own calendar at the instant of the build. #}
with

companies as (

    select * from {{ ref('int_companies_current') }}

),

dated as (

    select
        company_id,
        ({{ known_at() }} at time zone time_zone)::date as usage_date
    from companies

),

final as (

    select
        company_id,
        usage_date,
        date_trunc('week', usage_date)::date as usage_week,
        date_trunc('month', usage_date)::date as usage_month,
        (date_trunc('month', usage_date) + interval '1 month')::date - 1 as month_ends_on
    from dated

)

select * from final
