{#
    The instant at which a local date begins: of two midnights the first, where clocks go back at midnight. PostgreSQL takes
    the second one.
#}
{% macro day_start(local_date, time_zone) -%}
    ({{ local_date }})::timestamp at time zone {{ time_zone }} - case
        when
            ((({{ local_date }})::timestamp at time zone {{ time_zone }} - interval '1 hour') at time zone {{ time_zone }})::date
            = ({{ local_date }})::date
            then interval '1 hour'
        else interval '0'
    end
{%- endmacro %}
