{#
    How every incremental model is built: the rows of the window are deleted and inserted anew, in one transaction. Unlike
    a merge this also removes keys that vanished, and it runs on distributed tables, since each command goes by itself.
    It takes the place of dbt's own materialization, which writes the rows twice, into a temporary table first.

    A model says by `date_column` which dates it holds, and by `window_grain` and `onward` how far a change reaches.

    After a build that brings many rows the planner is told of them at once: models that come next read them, and what it does
    not know of it joins row by row.

    The contract is checked when the table is created and when its columns are not those of the contract; otherwise the
    insert names every column. Checking it each time would plan every model twice.
#}
{% materialization incremental, adapter='postgres' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set contracted = model['columns'].values() | map(attribute='name') | list -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- set found = catalogue_of(target) -%}
    {%- set present = found | map(attribute='attname') | list -%}
    {%- if not present -%}
        {%- call statement('main') -%} {{ create_table_as(False, target, sql) }} {%- endcall -%}
        {%- do create_indexes(target) -%}
    {%- else -%}
        {%- if present | sort != contracted | sort -%}
            {%- do get_assert_columns_equivalent(sql) -%}
            {%- do add_columns(target, contracted | reject('in', present)) -%}
            {%- do release_columns(target, present | reject('in', contracted)) -%}
        {%- endif -%}
        {%- do run_query('delete from ' ~ target ~ ' where ' ~ replaced_rows()) -%}
        {%- set columns = adapter.dispatch('get_column_names', 'dbt')() -%}
        {%- call statement('main') -%}
            insert into {{ target }} ({{ columns }}) {{ get_select_subquery(sql) }}
        {%- endcall -%}
    {%- endif -%}
    {%- set known_rows = found[0]['reltuples'] if found else 0 -%}
    {%- if load_result('main')['response'].rows_affected > [1000, known_rows / 5] | max -%}
        {%- do run_query('analyze ' ~ target) -%}
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

{# Each column of a table with the number of rows that the planner knows of; nothing when there is no such table. #}
{% macro catalogue_of(target) -%}
    {%- set columns = run_query(
        "select attname, reltuples from pg_attribute inner join pg_class on pg_class.oid = attrelid where attrelid = to_regclass('"
        ~ target ~ "') and attnum > 0 and not attisdropped"
    ) -%}
    {{ return(columns.rows | list) }}
{%- endmacro %}

{# Columns that the contract has gained since the table was created; they are empty in what is not rebuilt. #}
{% macro add_columns(target, names) -%}
    {%- for name in names -%}
        {%- do run_query('alter table ' ~ target ~ ' add column ' ~ name ~ ' ' ~ model['columns'][name]['data_type']) -%}
    {%- endfor -%}
{%- endmacro %}

{# Columns that the contract has lost keep what they hold, and are empty from now on. #}
{% macro release_columns(target, names) -%}
    {%- for name in names -%}
        {%- do run_query('alter table ' ~ target ~ ' alter column ' ~ name ~ ' drop not null') -%}
    {%- endfor -%}
{%- endmacro %}
