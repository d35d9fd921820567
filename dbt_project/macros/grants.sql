{# Grants go out one by one: distributed tables take no two commands at once. #}
{% macro postgres__call_dcl_statements(dcl_statement_list) -%}
    {%- for statement in dcl_statement_list -%}
        {%- do run_query(statement) -%}
    {%- endfor -%}
{%- endmacro %}
