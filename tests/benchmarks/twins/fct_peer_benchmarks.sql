with compared as (
    select industry, usage_month, meter, count(*)::int as count_companies,
        quantile_cont(quantity, [0.25, 0.5, 0.75]) as quantities
    from fct_meter_usage_monthly inner join companies using (company_id)
    where meter in (select meter from meters where value_field is distinct from 'revenue')
    group by all having count(*) >= 5
)
select industry, usage_month, meter, count_companies, quantities[1]::decimal(20, 6) as quantity_p25,
    quantities[2]::decimal(20, 6) as quantity_median, quantities[3]::decimal(20, 6) as quantity_p75
from compared
