with

-- A version that another one follows on the same date never held.
subscriptions as (

    select * from {{ ref('int_subscriptions_history') }}
    where first_date <= last_date

),

followed as (

    select
        company_id,
        status,
        lead(status) over versions as next_status,
        lead(first_date) over versions as ended_on
    from subscriptions
    window versions as (partition by company_id order by valid_from)

),

final as (

    select
        company_id,
        ended_on,
        date_trunc('month', ended_on)::date as usage_month,
        next_status = 'active' as is_converted
    from followed
    where
        status = 'trial'
        and next_status <> 'trial'

)

select * from final
