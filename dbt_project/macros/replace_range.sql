{#
    Incremental strategy: delete the window, insert the window, in one transaction. Unlike a merge it also removes keys
    that vanished, and it runs on distributed tables. The two commands go one by one for the same reason.
#}
{% macro get_incremental_replace_range_sql(arg_dict) %}
    {%- set date_column = config.require('date_column') -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    {%- do run_query(
        'delete from ' ~ arg_dict['target_relation']
        ~ ' where ' ~ is_in_window(date_column, config.get('window_grain', 'day'))
    ) -%}
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}
