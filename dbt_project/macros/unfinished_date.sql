{# The first date that has not yet ended everywhere on earth: last of all it ends twelve hours behind UTC. #}
{% macro unfinished_date() -%}
    ({{ known_at() }} at time zone 'UTC' - interval '12 hours')::date
{%- endmacro %}
