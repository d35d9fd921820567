{#
    Measures of the window's periods are, per company, the sums of those of another model: nothing was lost or counted
    twice on the way. `grain` is that of the model; the other one may be finer.
#}
{% test adds_up_to(model, other, measures, grain='day', date_column='usage_date', other_date_column='usage_date') %}

    with

    here as (

        select
            company_id
            {%- for measure in measures %}, sum({{ measure }}) as {{ measure }}{% endfor %}
        from {{ model }}
        where {{ is_in_window(date_column, grain) }}
        group by company_id

    ),

    there as (

        select
            company_id
            {%- for measure in measures %}, sum({{ measure }}) as {{ measure }}{% endfor %}
        from {{ other }}
        where {{ is_in_window(other_date_column, grain) }}
        group by company_id

    )

    select
        company_id
        {%- for measure in measures %}, here.{{ measure }}, there.{{ measure }} as other_{{ measure }}{% endfor %}
    from here
    full join there using (company_id)
    where
        {% for measure in measures -%}
            coalesce(here.{{ measure }}, 0) <> coalesce(there.{{ measure }}, 0){% if not loop.last %} or {% endif %}
        {%- endfor %}

{% endtest %}
