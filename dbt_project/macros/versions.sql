{#
    The local dates on which a version of a description holds, both included: what was said last on a date describes the
    whole date. A version that another one follows on the same date, or on an earlier one in a zone further west, holds on
    none (its last date lies before its first).
#}
{% macro last_date_of_version(key, first_date) -%}
    coalesce(
        min({{ first_date }}) over (
            partition by {{ key }} order by valid_from rows between 1 following and unbounded following
        ) - 1,
        date '9999-12-31'
    )
{%- endmacro %}
