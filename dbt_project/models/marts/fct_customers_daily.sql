{#
    Totals so far begin with those of the last day before the window, as this table has them: it is built onward, so
    what lies before a window is true to all that was built. To recompute them would be to read the whole history.
#}
{{
    config(
        materialized='incremental',
        date_column='usage_date',
        onward=true,
        indexes=[{'columns': ['usage_date']}],
        tags=['usage']
    )
}}

with

days as (

    select distinct
        company_id,
        usage_date,
        currency
    from {{ ref('fct_usage_daily') }}
    where {{ is_in_window('usage_date', onward=True) }}

),

-- Computed once, however often the planner expects to need it.
customers as materialized (

    select * from {{ ref('int_customer_days') }}

),

joined as (

    select
        days.company_id,
        days.usage_date,
        days.currency,
        coalesce(customers.unique_customers, 0) as unique_customers,
        coalesce(customers.new_customers, 0) as new_customers,
        coalesce(customers.customer_revenue, 0) as customer_revenue,
        row_number() over (partition by days.company_id order by days.usage_date) = 1 as is_first,
        row_number() over (
            partition by days.company_id, days.currency order by days.usage_date
        ) = 1 as is_first_of_currency
    from days
    left join customers
        on
            days.company_id = customers.company_id
            and days.usage_date = customers.usage_date

),

opened as (

    select
        *,
        {% if is_incremental() %}
            case when is_first then (
                select built.lifetime_customers
                from {{ this }} as built
                where
                    built.company_id = joined.company_id
                    and built.usage_date < {{ window_start() }}
                order by built.usage_date desc
                limit 1
            ) end as opening_customers,
            case when is_first_of_currency then (
                select built.lifetime_revenue
                from {{ this }} as built
                where
                    built.company_id = joined.company_id
                    and built.currency = joined.currency
                    and built.usage_date < {{ window_start() }}
                order by built.usage_date desc
                limit 1
            ) end as opening_revenue
        {% else %}
            0 as opening_customers,
            0 as opening_revenue
        {% endif %}
    from joined

),

added_up as (

    select
        *,
        sum(coalesce(opening_customers, 0) + new_customers) over (
            partition by company_id order by usage_date
        ) as lifetime_customers,
        sum(coalesce(opening_revenue, 0) + customer_revenue) over (
            partition by company_id, currency order by usage_date
        ) as lifetime_revenue
    from opened

),

final as (

    select
        company_id,
        usage_date,
        unique_customers::integer as unique_customers,
        new_customers::integer as new_customers,
        (unique_customers - new_customers)::integer as returning_customers,
        round(new_customers::numeric / nullif(unique_customers, 0), 4)::numeric(5, 4) as new_customer_share,
        customer_revenue::numeric(20, 2) as customer_revenue,
        currency,
        lifetime_customers::integer as lifetime_customers,
        lifetime_revenue::numeric(20, 2) as lifetime_revenue,
        round(lifetime_revenue / nullif(lifetime_customers, 0), 2)::numeric(20, 2) as lifetime_value
    from added_up

)

select * from final
