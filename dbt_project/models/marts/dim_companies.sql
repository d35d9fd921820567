{{ config(materialized='table', tags=['usage']) }}
{% set days_required = 14 %}

with

companies as (

    select
        *,
        ({{ known_at() }} at time zone time_zone)::date - activated_on as lifecycle_day
    from {{ ref('int_companies_current') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_current') }}

),

daily as (

    select * from {{ ref('fct_usage_daily') }}

),

collected as (

    select
        company_id,
        least(greatest(lifecycle_day, 0), {{ days_required }}) as days_collected,
        (
            select coalesce(sum(daily.total_events), 0)
            from daily
            where
                daily.company_id = companies.company_id
                and daily.usage_date >= companies.activated_on
                and daily.usage_date < companies.activated_on + {{ days_required }}
        ) as data_points_collected
    from companies

),

final as (

    select
        companies.company_id,
        companies.company_key,
        companies.name,
        companies.industry,
        companies.country::text as country,
        companies.time_zone,
        companies.business_hours,
        companies.locale,
        companies.currency::text as currency,
        companies.activated_at,
        companies.activated_on,
        companies.contact_email,
        subscriptions.plan_key,
        subscriptions.plan_version,
        subscriptions.status as subscription_status,
        subscriptions.stripe_customer_id,
        companies.lifecycle_day,
        case
            when subscriptions.status = 'cancelled' then 'cancelled'
            when companies.lifecycle_day < 0 then 'not_started'
            when companies.lifecycle_day < 7 then 'collecting'
            when companies.lifecycle_day < 14 then 'first_insights'
            else 'recommending'
        end as lifecycle_phase,
        collected.days_collected,
        {{ days_required }} as days_required,
        {{ days_required }} - collected.days_collected as days_remaining,
        collected.data_points_collected::integer as data_points_collected,
        {{ var('data_points_required') }}::integer as data_points_required,
        least(
            1,
            collected.days_collected::numeric / {{ days_required }},
            collected.data_points_collected::numeric / {{ var('data_points_required') }}
        )::numeric(5, 4) as collection_progress
    from companies
    inner join collected on companies.company_id = collected.company_id
    left join subscriptions on companies.company_id = subscriptions.company_id

)

select * from final
