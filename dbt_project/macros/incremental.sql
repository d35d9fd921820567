{#
    How every incremental model is built: the rows of the window are deleted and inserted anew, in one transaction. Unlike
    a merge this also removes keys that vanished, and it runs on distributed tables, since each command goes by itself.
    It takes the place of dbt's own materialization, which writes the rows twice, into a temporary table first.

    A model says by `date_column` which dates it holds, and by `window_grain` and `onward` how far a change reaches.

    The contract is checked when the table is created and when its columns are not those of the contract; otherwise the
    insert names every column. Checking it each time would plan every model twice.
#}
{% materialization incremental, adapter='postgres' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set contracted = model['columns'].values() | map(attribute='name') | list -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set present = columns_in(target) -%}
    {%- if not present -%}
        {%- call statement('main') -%} {{ create_table_as(False, target, sql) }} {%- endcall -%}
        {%- do create_indexes(target) -%}
    {%- else -%}
        {%- if present | sort != contracted | sort -%}
            {%- do get_assert_columns_equivalent(sql) -%}
            {%- do add_columns(target, contracted | reject('in', present)) -%}
        {%- endif -%}
        {%- do run_query('delete from ' ~ target ~ ' where ' ~ replaced_rows()) -%}
        {%- set columns = adapter.dispatch('get_column_names', 'dbt')() -%}
        {%- call statement('main') -%}
            insert into {{ target }} ({{ columns }}) {{ get_select_subquery(sql) }}
        {%- endcall -%}
    {%- endif -%}
    {%- do apply_grants(target, config.get('grants'), should_revoke=True) -%}
    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{# Which rows of the model a build replaces; with `carried_rows`, those also after the window. #}
{% macro replaced_rows() -%}
    {%- set column, grain = config.require('date_column'), config.get('window_grain', 'day') -%}
    {%- set carried = config.get('carried_rows') -%}
    {%- if carried -%}
        ({{ is_in_window(column, grain) }}) or ({{ is_in_window(column, grain, onward=True) }} and {{ carried }})
    {%- else -%}
        {{ is_in_window(column, grain, config.get('onward', False)) }}
    {%- endif -%}
{%- endmacro %}

{# The names of a table's columns, straight from the catalogue; none when there is no such table. #}
{% macro columns_in(target) -%}
    {%- set names = run_query(
        "select attname from pg_attribute where attrelid = to_regclass('" ~ target ~ "') and attnum > 0 and not attisdropped"
    ) -%}
    {{ return(names.columns[0].values() | list) }}
{%- endmacro %}

{# Columns that the contract has gained since the table was created; they are empty in what is not rebuilt. #}
{% macro add_columns(target, names) -%}
    {%- for name in names -%}
        {%- do run_query('alter table ' ~ target ~ ' add column ' ~ name ~ ' ' ~ model['columns'][name]['data_type']) -%}
    {%- endfor -%}
{%- endmacro %}
