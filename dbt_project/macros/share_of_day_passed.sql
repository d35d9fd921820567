{# Which share of a local day had passed at the instant of the build, 1 once it is over. #}
{% macro share_of_day_passed(day_ends_at, hours_in_day) -%}
    (
        1 - greatest(extract(epoch from {{ day_ends_at }} - {{ known_at() }}) / 3600, 0) / {{ hours_in_day }}
    )::numeric(8, 6)
{%- endmacro %}
