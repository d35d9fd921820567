{# In the window a value lies between two bounds, both included; without `high` it has no upper bound. #}
{% test is_between(model, column_name, low, high=none, date_column='usage_date', grain='day') %}

    select {{ column_name }}
    from {{ model }}
    where
        {{ is_in_window(date_column, grain) }}
        and ({{ column_name }} < {{ low }}{% if high is not none %} or {{ column_name }} > {{ high }}{% endif %})

{% endtest %}
