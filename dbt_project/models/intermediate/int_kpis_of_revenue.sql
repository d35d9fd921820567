with

revenue as (

    select * from {{ ref('int_revenue_monthly') }}

),

final as (

    select
        revenue.usage_month,
        figures.kpi,
        revenue.currency as unit,
        figures.numerator,
        figures.denominator
    from revenue
    cross join
        lateral (
            values
            ('mrr', revenue.mrr, 1),
            ('arr', 12 * revenue.mrr, 1),
            ('arpu', revenue.mrr, revenue.count_paying),
            ('ltv', revenue.mrr * revenue.count_paying_before, revenue.count_paying * revenue.count_churned)
        ) as figures (kpi, numerator, denominator)
    union all
    select
        usage_month,
        'upgrade_rate' as kpi,
        'ratio' as unit,
        sum(count_upgraded) as numerator,
        sum(count_paying_before) as denominator
    from revenue
    group by usage_month
    union all
    select
        usage_month,
        'downgrade_rate' as kpi,
        'ratio' as unit,
        sum(count_downgraded) as numerator,
        sum(count_paying_before) as denominator
    from revenue
    group by usage_month

)

select * from final
