{#
    Whether a date lies near the instant of the build: no day of this month or of last week lies outside, wherever a
    company is. It bounds what is read by constants, before it is known which date it is for whom.
#}
{% macro is_recent(column) -%}
    {{ column }} between ({{ known_at() }} at time zone 'UTC')::date - 32 and ({{ known_at() }} at time zone 'UTC')::date + 1
{%- endmacro %}
