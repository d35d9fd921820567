{# In each row the parts add up to the total: nothing falls between them. #}
{% test is_sum_of(model, total, parts) %}

    select
        {{ total }},
        {{ parts | join(' + ') }} as sum_of_parts
    from {{ model }}
    where {{ total }} is distinct from {{ parts | join(' + ') }}

{% endtest %}
