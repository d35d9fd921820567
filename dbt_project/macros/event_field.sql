{# The text of the field of an event that `name` (an expression) names: a field of the contract, or else a property. #}
{% macro event_field(name) -%}
    case {{ name }}
        when 'hours' then case when events.is_after_hours then 'after' else 'business' end
        when 'time_of_day' then
            case
                when events.local_hour >= {{ var('peak_from') }} and events.local_hour < {{ var('peak_to') }} then 'peak'
                else 'off_peak'
            end
        when 'outcome' then events.outcome
        when 'service' then events.service
        when 'channel' then events.channel
        when 'customer' then events.customer
        else events.properties ->> {{ name }}
    end
{%- endmacro %}
