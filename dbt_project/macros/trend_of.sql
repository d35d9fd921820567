{# What a change, as a ratio, is called: up or down from more than 5 % on, else stable; null where there is none. #}
{% macro trend_of(change) -%}
    case
        when {{ change }} > 0.05 then 'up'
        when {{ change }} < -0.05 then 'down'
        when {{ change }} is not null then 'stable'
    end
{%- endmacro %}
