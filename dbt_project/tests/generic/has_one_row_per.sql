{#
    In the window each company has as many rows as there are keys in other models: a join neither lost nor repeated one.
#}
{% test has_one_row_per(model, key, others) %}

    with

    keys as (

        {% for other in others -%}
            select {{ key | join(', ') }} from {{ other }} where {{ is_in_window('usage_date') }}
            {%- if not loop.last %} union {% endif %}
        {%- endfor %}

    ),

    expected as (

        select
            company_id,
            count(*) as count_rows
        from keys
        group by company_id

    ),

    found as (

        select
            company_id,
            count(*) as count_rows
        from {{ model }}
        where {{ is_in_window('usage_date') }}
        group by company_id

    )

    select
        company_id,
        found.count_rows,
        expected.count_rows as expected_rows
    from found
    full join expected using (company_id)
    where found.count_rows is distinct from expected.count_rows

{% endtest %}
