with compared as (
    select industry, usage_month, meter, count(*)::int as count_companies,
        quantile_cont(quantity, [0.25, 0.5, 0.75]) as quantities
    from fct_meter_usage_monthly inner join companies using (company_id)
    where meter in (select meter from meters where value_field is distinct from 'revenue') and quantity > 0
    group by all having count(*) >= 5
)
select industry, usage_month, meter, count_companies,
    (round(quantities[1] / units[1]) * units[1])::decimal(26, 6) as quantity_p25,
    (round(quantities[2] / units[2]) * units[2])::decimal(26, 6) as quantity_median,
    (round(quantities[3] / units[3]) * units[3])::decimal(26, 6) as quantity_p75
from (select *, [power(10, floor(log10(quantity)) - 1) for quantity in quantities] as units from compared)
