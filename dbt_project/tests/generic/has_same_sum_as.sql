{# A measure adds up to the same as in another model: nothing was lost or counted twice on the way. #}
{% test has_same_sum_as(model, column, other) %}

    select
        here.total,
        there.total as other_total
    from (select coalesce(sum({{ column }}), 0) as total from {{ model }}) as here
    cross join (select coalesce(sum({{ column }}), 0) as total from {{ other }}) as there
    where here.total <> there.total

{% endtest %}
