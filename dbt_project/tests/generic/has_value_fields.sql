{# Each meter names a field that its aggregation can read. #}
{% test has_value_fields(model) %}

    select
        meter,
        value_field
    from {{ model }}
    where
        case aggregation
            when 'count' then value_field is not null
            when 'unique_count' then coalesce(value_field in ('quantity', 'duration_seconds', 'revenue'), true)
            else coalesce(value_field not in ('quantity', 'duration_seconds', 'revenue'), true)
        end

{% endtest %}
