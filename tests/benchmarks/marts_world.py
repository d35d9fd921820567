"""The world in which the marts are measured: companies, branches, and days of events in a simulator's shape."""

from datetime import date, timedelta

from psycopg import Connection

from integrations.postgres.usage_partitions import ensure_partition

COMPANIES, EVENTS_PER_DAY = 10_000, 170_000
FIRST_DATE = date(2025, 10, 1)

COMPANIES_AND_BRANCHES = f"""
insert into raw.loads (
    feed, file_name, fingerprint, file_size, file_modified_at, status, count_read, count_inserted, received_at
) values ('events', 'world', '', 0, '2025-09-01Z', 'published', 0, 0, '{FIRST_DATE + timedelta(days=8)}Z');
insert into raw.company_ids (company_key) select 'company-' || i from generate_series(1, {COMPANIES}) as i;
insert into raw.companies (
    company_id, valid_from, received_at, name, industry, country, time_zone, business_hours, locale, currency,
    activated_at, load_id
)
select company_id, '2025-09-01Z', '2025-09-01Z', company_key, 'beauty', 'DE', 'Europe/Berlin',
    '{{"mon": ["09:00", "17:00"]}}', 'de', 'EUR', '2025-09-01Z', 1
from raw.company_ids;
insert into raw.branch_ids (company_id, branch_key)
select company_id, 'branch-' || branch from raw.company_ids, generate_series(0, company_id % 3) as branch;
insert into raw.branches (company_id, branch_id, valid_from, received_at, name, load_id)
select company_id, branch_id, '2025-09-01Z', '2025-09-01Z', branch_key, 1 from raw.branch_ids;
create table public.sites as
select company_id, array_agg(branch_id) as branches from raw.branch_ids group by company_id;
analyze raw.company_ids, raw.companies, raw.branch_ids, raw.branches, public.sites;
"""

# Large and small companies, calls by day more than by night, two of five events an appointment, some payments and some
# levels. The same rows each time.
DAY = """
select setseed(0.5);
create temporary table drawn as
select i, 1 + floor({companies} * power(random(), 1.5))::bigint as company_id, random() as of_branch,
    least(1439, greatest(0, round(720 + 240 * random_normal())))::smallint as local_minute,
    random() as of_type, random() as of_outcome, 'c-' || floor(40 * power(random(), 2.5)) as customer,
    round(exp(5 + 0.6 * random_normal()))::bigint as seconds
from generate_series(1, {events}) as i;
insert into raw.usage_events
select company_id, '{day}', local_minute, '{day} 00:00+02'::timestamptz + local_minute * interval '1 minute', '/phone',
    '{day}-' || i, type, branches[1 + floor(of_branch * cardinality(branches))::integer], customer,
    case type when 'storage' then seconds when 'seat_change' then 1 + i % 3 else 1 end,
    case when type = 'call' then seconds end,
    case type
        when 'call' then case when of_outcome < 0.65 then 'success' else 'failure' end
        when 'appointment' then case when of_outcome < 0.9 then 'completed' else 'no_show' end
    end,
    case when type = 'appointment' then 'service-' || i % 8 end, case i % 3 when 0 then 'web' when 1 then 'app' end,
    case when type in ('appointment', 'payment') then seconds / 2.0 end,
    case when type in ('appointment', 'payment') then 'EUR' end,
    local_minute not between 540 and 1019, false, null, 1
from drawn inner join public.sites using (company_id), lateral (
    select case
        when of_type < 0.59 then 'call' when of_type < 0.97 then 'appointment'
        when of_type < 0.98 then 'payment' when of_type < 0.99 then 'storage' else 'seat_change'
    end as type
) as drawn_type;
drop table drawn;
"""


def write_world(connection: Connection, days: int) -> None:
    """Fill an empty warehouse with the companies and as many usage dates from `FIRST_DATE` on."""
    connection.execute(COMPANIES_AND_BRANCHES.encode())
    for day in (FIRST_DATE + timedelta(days=i) for i in range(days)):
        ensure_partition(connection, day)
        connection.execute(DAY.format(companies=COMPANIES, events=EVENTS_PER_DAY, day=day).encode())
    connection.execute("analyze raw.usage_events")
