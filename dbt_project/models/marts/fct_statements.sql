{{ config(materialized='table', full_refresh=none, tags=['reporting', 'rated']) }}

with

lines as (

    select * from {{ ref('fct_rated_lines') }}

),

closed_periods as (

    select * from {{ ref('stg_billing__closed_periods') }}
    where closed_at <= {{ known_at() }}

),

added_up as (

    select
        company_id,
        invoice_period,
        currency,
        sum(amount) as total_amount,
        {% for kinds, part in [
            ("'base_fee', 'add_on'", 'base_fees_amount'),
            ("'usage'", 'usage_amount'),
            ("'minimum_spend'", 'minimum_spend_amount'),
            ("'maximum_spend'", 'maximum_spend_amount'),
        ] %}
            coalesce(
                sum(amount) filter (where charge_kind in ({{ kinds }}) and not is_correction), 0
            ) as {{ part }},
        {% endfor %}
        coalesce(sum(amount) filter (where is_correction), 0) as corrections_amount,
        count(*) as count_lines,
        min(usage_date) as first_usage_date,
        max(usage_date) as last_usage_date,
        string_agg(distinct plan_key, ', ' order by plan_key) as plan_keys
    from lines
    group by company_id, invoice_period, currency

),

final as (

    select
        added_up.company_id,
        added_up.invoice_period,
        added_up.currency,
        added_up.total_amount::numeric(20, 6) as total_amount,
        added_up.base_fees_amount::numeric(20, 6) as base_fees_amount,
        added_up.usage_amount::numeric(20, 6) as usage_amount,
        added_up.minimum_spend_amount::numeric(20, 6) as minimum_spend_amount,
        added_up.maximum_spend_amount::numeric(20, 6) as maximum_spend_amount,
        added_up.corrections_amount::numeric(20, 6) as corrections_amount,
        added_up.count_lines::integer as count_lines,
        added_up.first_usage_date,
        added_up.last_usage_date,
        added_up.plan_keys,
        closed_periods.closed_at is not null as is_closed,
        closed_periods.closed_at
    from added_up
    left join closed_periods on added_up.invoice_period = closed_periods.usage_period

)

select * from final
