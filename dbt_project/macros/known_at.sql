{# The instant at which the build stands: what was valid or received later is not yet known. #}
{% macro known_at() -%}
    {%- if execute and env_var('USAGE_KNOWN_AT', '') -%}
        timestamptz '{{ env_var('USAGE_KNOWN_AT') }}'
    {%- else -%}
        now()
    {%- endif -%}
{%- endmacro %}
