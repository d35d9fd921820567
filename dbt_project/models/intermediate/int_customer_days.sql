{#
    Customers per company and date from the window's first on. A customer is new on the first date of all, so an event
    changes every date after its own.
#}
with

seen as (

    select
        company_id,
        value as customer,
        usage_date,
        sum(total_revenue) as revenue
    from {{ ref('int_meter_values') }}
    where
        {{ is_in_window('usage_date', onward=True) }}
        and meter = 'customers'
    group by company_id, value, usage_date

),

history as (

    select * from {{ ref('int_meter_values') }}
    where
        usage_date < {{ window_start() }}
        and meter = 'customers'

),

dated as (

    select
        *,
        row_number() over (partition by company_id, customer order by usage_date) = 1 as is_first
    from seen

),

-- One look into the key for each customer, and no join of customers with customers, whose size is hard to foresee.
told_apart as (

    select
        company_id,
        usage_date,
        revenue,
        is_first
        and not exists (
            select from history
            where
                history.company_id = dated.company_id
                and history.value = dated.customer
        ) as is_new
    from dated

),

final as (

    select
        company_id,
        usage_date,
        count(*) as unique_customers,
        count(*) filter (where is_new) as new_customers,
        round(sum(revenue), 2) as customer_revenue
    from told_apart
    group by company_id, usage_date

)

select * from final
