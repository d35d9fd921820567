{{ config(materialized='table', full_refresh=none, tags=['reference']) }}

with

companies as (

    select * from {{ ref('int_companies_history') }}

),

usage_dates as (

    select * from {{ ref('stg_ops__usage_dates') }}

),

holidays as (

    select * from {{ ref('stg_raw__holidays') }}

),

countries as (

    select distinct country from companies

),

first_dates as (

    select min((activated_at at time zone time_zone)::date) as first_date from companies
    union all
    select min(usage_date) as first_date from usage_dates

),

days as (

    select calendar_day::date as calendar_date
    from generate_series(
        (select date_trunc('year', min(first_date)) from first_dates),
        date_trunc('year', {{ known_at() }} at time zone 'UTC') + interval '2 years - 1 day',
        interval '1 day'
    ) as calendar_day

),

final as (

    select
        countries.country,
        days.calendar_date,
        extract(isoyear from days.calendar_date)::integer as iso_year,
        extract(week from days.calendar_date)::integer as iso_week,
        extract(isodow from days.calendar_date)::integer as iso_weekday,
        date_trunc('month', days.calendar_date)::date as month_start,
        extract(quarter from days.calendar_date)::integer as quarter,
        extract(isodow from days.calendar_date) in (6, 7) as is_weekend,
        holidays.name is not null as is_holiday,
        holidays.name as holiday_name
    from countries
    cross join days
    left join holidays
        on
            countries.country = holidays.country
            and days.calendar_date = holidays.holiday_date

)

select * from final
