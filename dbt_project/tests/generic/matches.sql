{# A text has the shape that a regular expression says; null has any. #}
{% test matches(model, column_name, pattern) %}

    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} !~ '{{ pattern }}'

{% endtest %}
