with

subscriptions as (

    select * from {{ ref('stg_raw__subscriptions') }}

),

companies as (

    select * from {{ ref('int_companies_history') }}

),

latest as (

    select distinct on (company_id, valid_from) *
    from subscriptions
    where received_at <= {{ known_at() }}
    order by company_id asc, valid_from asc, received_at desc

),

dated as (

    select
        latest.*,
        lead(latest.valid_from) over versions as valid_to,
        lag(latest.status) over versions as status_before,
        (latest.valid_from at time zone companies.time_zone)::date as first_date
    from latest
    inner join companies
        on
            latest.company_id = companies.company_id
            -- The zone of then, so that a later move leaves past dates as they were; the first one holds also before.
            and (latest.valid_from >= companies.valid_from or companies.first_date = date '0001-01-01')
            and (latest.valid_from < companies.valid_to or companies.valid_to is null)
    window versions as (partition by latest.company_id order by latest.valid_from)

),

final as (

    select
        company_id,
        valid_from,
        valid_to,
        first_date,
        {{ last_date_of_version('company_id', 'first_date') }} as last_date,
        plan_key,
        plan_version,
        status,
        status_before,
        stripe_customer_id,
        billing_interval,
        add_ons,
        overrides
    from dated

)

select * from final
