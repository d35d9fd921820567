{# A value lies between two bounds, both included; without `high` it has no upper bound. Of facts only the window is read. #}
{% test is_between(model, column_name, low, high=none, date_column=none, grain='day') %}

    select {{ column_name }}
    from {{ model }}
    where
        ({{ column_name }} < {{ low }}{% if high is not none %} or {{ column_name }} > {{ high }}{% endif %})
        {% if date_column -%} and {{ is_in_window(date_column, grain) }} {%- endif %}

{% endtest %}
