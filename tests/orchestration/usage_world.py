"""Marts with the columns that the analysis reads, filled for companies of several habits: what shards work on."""

from datetime import date, timedelta

from psycopg import Connection

AS_OF = date(2026, 10, 15)
TABLES = """
    create table marts.dim_companies (company_id bigint primary key, activated_on date);
    create table marts.fct_usage_hourly (
        company_id bigint, usage_date date, local_hour integer, total_calls integer, total_seconds integer,
        after_hours_calls integer, successful_bookings integer, failed_bookings integer
    );
    create table marts.fct_usage_daily (company_id bigint, usage_date date, total_revenue numeric(20, 6));
    create table marts.fct_conversion (company_id bigint, usage_date date, service text);
    create table intermediate.int_meter_values (company_id bigint, meter text, usage_date date, value text);
"""
HOURLY = """
    insert into marts.fct_usage_hourly
    select
        company_id, %(as_of)s::date - day, (case when company_id %% 5 = 0 then 0 else 8 end) + hour,
        5 + (company_id * 7 + day * 11 + hour * 13) %% 23, (5 + (company_id + day) %% 9) * 100, hour / 3, 2, hour / 4
    from generate_series(1, %(companies)s) as company_id, generate_series(1, 20) as day, generate_series(0, 5) as hour
    where company_id %% 6 <> 0
"""
ACTIVITY = """
    insert into marts.fct_usage_daily
    select company_id, %(as_of)s::date - 3, company_id * 10.5 from generate_series(1, %(companies)s) as company_id;
    insert into marts.fct_conversion
    select company_id, %(as_of)s::date - 3, 'service ' || number
    from generate_series(1, %(companies)s) as company_id, generate_series(1, company_id %% 13) as number;
    insert into intermediate.int_meter_values
    select company_id, 'customers', %(as_of)s::date - day, 'c-' || number %% (1 + company_id %% 4)
    from generate_series(1, %(companies)s) as company_id, generate_series(1, 4) as day, generate_series(1, 6) as number
"""


def make_usage(connection: Connection, companies: int = 7) -> None:
    """Companies 1, 2, ...: every fifth lives at night, every sixth has no calls, every fourth has joined lately."""
    connection.execute(TABLES)
    for number in range(1, companies + 1):
        activated_on = AS_OF - timedelta(days=5 if number % 4 == 0 else 40)
        connection.execute("insert into marts.dim_companies values (%s, %s)", [number, activated_on])
    connection.execute(HOURLY, {"as_of": AS_OF, "companies": companies})
    for statement in ACTIVITY.split(";"):
        connection.execute(statement.encode(), {"as_of": AS_OF, "companies": companies})
