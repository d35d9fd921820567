with

plans as (

    select * from {{ ref('stg_raw__plans') }}

),

known as (

    select
        *,
        lead(valid_from) over (partition by plan_key order by valid_from asc, version asc) as valid_to
    from plans
    where received_at <= {{ known_at() }}

),

final as (

    select
        plan_id,
        plan_key,
        version,
        valid_from,
        valid_to,
        valid_from as first_date,
        coalesce(valid_to - 1, date '9999-12-31') as last_date,
        case
            when jsonb_typeof(name) = 'string' then name #>> '{}'
            else coalesce(name ->> 'en', jsonb_path_query_first(name, '$.*') #>> '{}')
        end as name,
        currency,
        monthly_base_fee,
        option,
        charges,
        is_trial,
        is_sellable
    from known

)

select * from final
