{# Whether quantities of a meter may be summed over days and branches. #}
{% macro is_additive(aggregation) -%}
    {{ aggregation }} in ('count', 'sum', 'weighted_sum')
{%- endmacro %}
