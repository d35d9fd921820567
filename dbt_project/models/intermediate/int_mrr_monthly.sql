{#
    What each company is charged for each month by its plan, trials left out: by the month of the usage, so that a late
    correction changes the month that it speaks of. Months without a charge are there with 0.
#}
with

lines as (

    select * from {{ ref('fct_rated_lines') }}
    where
        not is_trial
        and (usage_period + interval '1 month')::date <= {{ unfinished_date() }}

),

charged as (

    select
        company_id,
        currency,
        usage_period as usage_month,
        sum(amount) as mrr,
        (array_agg(plan_key order by usage_date desc, rated_at desc, line_id desc))[1] as plan_key
    from lines
    group by company_id, currency, usage_period

),

begun as (

    select
        company_id,
        currency,
        min(usage_month) as first_month
    from charged
    group by company_id, currency

),

months as (

    select
        begun.company_id,
        begun.currency,
        each_month::date as usage_month
    from begun
    cross join generate_series(
        begun.first_month::timestamp,
        {{ unfinished_date() }}::timestamp - interval '1 month',
        interval '1 month'
    ) as each_month

),

final as (

    select
        months.company_id,
        months.currency,
        months.usage_month,
        coalesce(charged.mrr, 0) as mrr,
        charged.plan_key
    from months
    left join charged
        on
            months.company_id = charged.company_id
            and months.currency = charged.currency
            and months.usage_month = charged.usage_month

)

select * from final
