{#
    The window of usage dates that a build replaces, half-open. It comes from the environment and is read when a model
    runs, so that another window costs no new parse; and it has no default, since a default would wipe a table.
    `grain` widens it to whole periods, for models in which a late event changes its whole week or month; `onward` has
    no end, for models in which it changes every date from its own on. Edges are constants to the planner, which leaves out
    the partitions of other dates: truncating a date would take the session's time zone into account.
#}
{% macro window_start(grain='day') -%}
    {%- if grain == 'day' -%}
        {{ _window_edge('START') }}
    {%- else -%}
        date_trunc('{{ grain }}', {{ _window_edge('START') }}::timestamp)::date
    {%- endif -%}
{%- endmacro %}

{% macro window_end(grain='day') -%}
    {%- if grain == 'day' -%}
        {{ _window_edge('END') }}
    {%- else -%}
        (date_trunc('{{ grain }}', ({{ _window_edge('END') }} - 1)::timestamp) + interval '1 {{ grain }}')::date
    {%- endif -%}
{%- endmacro %}

{% macro is_in_window(column, grain='day', onward=False) -%}
    {{ column }} >= {{ window_start(grain) }}{% if not onward %} and {{ column }} < {{ window_end(grain) }}{% endif %}
{%- endmacro %}

{% macro _window_edge(edge) -%}
    {%- if not execute -%}
        date '1970-01-01'
    {%- else -%}
        {%- set value = env_var('USAGE_WINDOW_' ~ edge, '') -%}
        {%- if not value -%}
            {{ exceptions.raise_compiler_error(
                'USAGE_WINDOW_START and USAGE_WINDOW_END are not set: say which usage dates to rebuild, '
                'as in USAGE_WINDOW_START=2026-10-01 USAGE_WINDOW_END=2026-10-02 (the end is not included).'
            ) }}
        {%- endif -%}
        date '{{ value }}'
    {%- endif -%}
{%- endmacro %}
