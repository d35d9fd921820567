{# Per key, a measure is the sum of that of another model: nothing was lost or counted twice on the way. #}
{% test has_sums_of(model, other, keys, measure, other_measure) %}

    with

    here as (

        select
            {{ keys | join(', ') }},
            sum({{ measure }}) as total
        from {{ model }}
        group by {{ keys | join(', ') }}

    ),

    there as (

        select
            {{ keys | join(', ') }},
            sum({{ other_measure }}) as total
        from {{ other }}
        group by {{ keys | join(', ') }}

    )

    select
        {{ keys | join(', ') }},
        here.total,
        there.total as other_total
    from here
    full join there using ({{ keys | join(', ') }})
    where coalesce(here.total, 0) <> coalesce(there.total, 0)

{% endtest %}
