{# A positive number, rounded to its first two digits. #}
{% macro two_digits(number) -%}
    round({{ number }}, 1 - floor(log({{ number }}))::integer)
{%- endmacro %}
