{# Companies as they were on each date of the window, and the instants between which the date lasted for them. #}
with

companies as (

    select * from {{ ref('int_companies_history') }}

),

days as (

    select usage_day::date as usage_date
    from generate_series({{ window_start() }}, {{ window_end() }} - 1, interval '1 day') as usage_day

),

final as (

    select
        companies.company_id,
        days.usage_date,
        companies.time_zone,
        companies.currency,
        {{ day_start('days.usage_date', 'companies.time_zone') }} as day_starts_at,
        {{ day_start('days.usage_date + 1', 'companies.time_zone') }} as day_ends_at
    from companies
    inner join days on days.usage_date between companies.first_date and companies.last_date

)

select * from final
