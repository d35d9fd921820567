{#
    The meters that hold a level, on every date of the company from the window's first on: what was last read is carried
    to dates without a reading, so a reading changes every date after it.
#}
with

levels as (

    select * from {{ ref('int_meter_levels') }}

),

opening as (

    select distinct on (company_id, branch_id, meter)
        company_id,
        branch_id,
        meter,
        aggregation,
        case
            when aggregation = 'latest' then reading
            else sum(reading) over (partition by company_id, branch_id, meter)
        end as level
    from levels
    where usage_date < {{ window_start() }}
    order by company_id asc, branch_id asc, meter asc, usage_date desc

),

readings as (

    select * from levels
    where {{ is_in_window('usage_date', onward=True) }}

),

holders as (

    select
        company_id,
        branch_id,
        meter,
        aggregation
    from opening
    union
    select
        company_id,
        branch_id,
        meter,
        aggregation
    from readings

),

days as (

    select distinct
        company_id,
        usage_date,
        hours_in_day
    from {{ ref('fct_usage_daily') }}
    where
        {{ is_in_window('usage_date', onward=True) }}
        and company_id in (select holders.company_id from holders)

),

dated as (

    select
        holders.company_id,
        holders.branch_id,
        holders.meter,
        holders.aggregation,
        days.usage_date,
        days.hours_in_day,
        opening.level as opening_level,
        readings.reading,
        coalesce(readings.count_events, 0) as count_events,
        coalesce(readings.unit_hours, 0) as unit_hours,
        count(readings.reading) over onward as reading_number,
        sum(readings.reading) over onward as change
    from holders
    inner join days on holders.company_id = days.company_id
    left join opening
        on
            holders.company_id = opening.company_id
            and holders.branch_id = opening.branch_id
            and holders.meter = opening.meter
    left join readings
        on
            holders.company_id = readings.company_id
            and holders.branch_id = readings.branch_id
            and holders.meter = readings.meter
            and days.usage_date = readings.usage_date
    window onward as (
        partition by holders.company_id, holders.branch_id, holders.meter order by days.usage_date
    )

),

levelled as (

    select
        *,
        case
            when aggregation = 'weighted_sum' then coalesce(opening_level, 0) + coalesce(change, 0)
            when reading_number = 0 then opening_level
            else
                max(reading) over (
                    partition by company_id, branch_id, meter, reading_number
                )
        end as closing_level
    from dated
    where
        reading_number > 0
        or opening_level is not null

),

final as (

    select
        company_id,
        branch_id,
        meter,
        usage_date,
        aggregation,
        count_events,
        case
            when aggregation = 'latest' then closing_level
            else (closing_level - coalesce(reading, 0)) * hours_in_day + unit_hours
        end as quantity,
        closing_level
    from levelled

)

select * from final
