{#
    The months that figures are reported of: from the first activation to the running month, and those that the feed names.
    A date is over when it has ended everywhere on earth, last of all twelve hours behind UTC.
#}
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
        ({{ known_at() }} at time zone 'UTC' - interval '12 hours')::date as unfinished_date
    from months

)

select * from final
