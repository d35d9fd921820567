{#
    Runs after each mart and seed, in its transaction: a tenant sees the rows of the company that its session names, and
    none when it names none; readers of BI tools see all; the owner is not limited. A table that dbt creates anew has
    lost its policies, one that it keeps has them, so only what is missing is done.

    A mart without company_id can't be kept apart: it is for operators only (`grants: {select: [bi_reader]}`), or it says
    `meta: {is_for_all_tenants: true}`. The build of one that says nothing fails and is undone.
#}
{% macro secure_rows() -%}
    {%- if execute -%}
        {%- set found = run_query(row_security()).rows[0] -%}
        {%- if not found['has_company'] and is_open_by_oversight(config.get('grants'), config.get('meta')) -%}
            {{ exceptions.raise_compiler_error(
                this ~ ' has no company_id, so every tenant would read all of it. Say `grants: {select: [bi_reader]}` in'
                ' its config if it is for operators only, or `meta: {is_for_all_tenants: true}` if all may read it.'
            ) }}
        {%- endif -%}
        {%- if found['is_view'] -%}
            {%- do run_query('alter view ' ~ this ~ ' set (security_invoker = true)') -%}
        {%- elif found['has_company'] -%}
            {%- if not found['is_enabled'] -%}
                {%- do run_query('alter table ' ~ this ~ ' enable row level security') -%}
            {%- endif -%}
            {%- for role, condition in row_conditions().items() if role not in found['policies'].split() -%}
                {%- do run_query(
                    'create policy ' ~ role ~ ' on ' ~ this ~ ' for select to ' ~ role ~ ' using (' ~ condition ~ ')'
                ) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Which rows each role reads. #}
{% macro row_conditions() -%}
    {{ return({
        'tenant': "company_id = nullif(current_setting('app.company_id', true), '')::bigint",
        'bi_reader': 'true',
    }) }}
{%- endmacro %}

{# What is there already; from the catalogue's own tables, since views over them lock distributed tables. #}
{% macro row_security() -%}
    select
        relkind = 'v' as is_view,
        relrowsecurity as is_enabled,
        exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'company_id') as has_company,
        (select coalesce(string_agg(polname, ' '), '') from pg_policy where polrelid = pg_class.oid) as policies
    from pg_class
    where oid = '{{ this }}'::regclass
{%- endmacro %}

{# Whether tenants could read a mart without company_id of which nobody said that it is for all of them. #}
{% macro is_open_by_oversight(grants, meta) -%}
    {{ return('tenant' in (grants or {}).get('select', []) and not (meta or {}).get('is_for_all_tenants')) }}
{%- endmacro %}
