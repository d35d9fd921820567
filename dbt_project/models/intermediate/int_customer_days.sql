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

first_seen as (

    select
        company_id,
        customer,
        min(usage_date) as usage_date
    from seen
    group by company_id, customer

),

history as (

    select * from {{ ref('int_meter_values') }}
    where
        usage_date < {{ window_start() }}
        and meter = 'customers'

),

-- One look into the key for each customer; a plain anti-join may read the whole history instead.
newcomers as (

    select
        first_seen.company_id,
        first_seen.customer,
        first_seen.usage_date
    from first_seen
    left join lateral (
        select history.usage_date
        from history
        where
            history.company_id = first_seen.company_id
            and history.value = first_seen.customer
        order by history.usage_date
        limit 1
    ) as earlier on true
    where earlier.usage_date is null

),

final as (

    select
        seen.company_id,
        seen.usage_date,
        count(*) as unique_customers,
        count(newcomers.customer) as new_customers,
        round(sum(seen.revenue), 2) as customer_revenue
    from seen
    left join newcomers
        on
            seen.company_id = newcomers.company_id
            and seen.customer = newcomers.customer
            and seen.usage_date = newcomers.usage_date
    group by seen.company_id, seen.usage_date

)

select * from final
