with

movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

months as (

    select * from {{ ref('int_report_months') }}
    where next_month <= unfinished_date

),

begun as (

    select
        currency,
        min(usage_month) as first_month
    from movements
    group by currency

),

-- Months in which nobody is left are there with 0.
keys as (

    select
        months.usage_month,
        begun.currency
    from begun
    inner join months on begun.first_month <= months.usage_month
    union
    select
        usage_month,
        currency
    from movements

),

final as (

    select
        keys.usage_month,
        keys.currency,
        coalesce(sum(movements.mrr), 0) as mrr,
        count(*) filter (where movements.mrr > 0) as count_paying,
        count(*) filter (where movements.mrr_before > 0) as count_paying_before,
        count(*) filter (where movements.movement = 'churn') as count_churned,
        {% for name, sign in {'count_upgraded': '>', 'count_downgraded': '<'}.items() %}
            count(*) filter (
                where
                movements.mrr > 0
                and movements.mrr_before > 0
                and movements.plan_key <> movements.plan_key_before
                and movements.mrr {{ sign }} movements.mrr_before
            ) as {{ name }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from keys
    left join movements
        on
            keys.usage_month = movements.usage_month
            and keys.currency = movements.currency
    group by keys.usage_month, keys.currency

)

select * from final
