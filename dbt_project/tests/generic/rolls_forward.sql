{#
    A balance per key and month is that of the month before plus the changes: none appears or vanishes between two months.
#}
{% test rolls_forward(model, balance, balance_before, change, key, month) %}

    with

    months as (

        select
            {{ key }},
            {{ month }} as month,
            sum({{ balance }}) as balance,
            sum({{ balance_before }}) as balance_before,
            sum({{ change }}) as change
        from {{ model }}
        group by {{ key }}, {{ month }}

    ),

    carried as (

        select
            {{ key }},
            (month + interval '1 month')::date as month,
            balance
        from months
        where month < (select max(month) from months)

    )

    select
        {{ key }},
        month,
        months.balance,
        months.balance_before,
        months.change,
        carried.balance as carried_balance
    from months
    full join carried using ({{ key }}, month)
    where
        months.balance_before + months.change <> months.balance
        or coalesce(months.balance_before, 0) <> coalesce(carried.balance, 0)

{% endtest %}
