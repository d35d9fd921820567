"""Between the rating engine and its ledger: which companies and periods changed, and what is booked for them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from ml.rating.catalogue import Plan
from ml.rating.rerate import BookedLine, RatedLine, due_lines
from orchestration.recommendations import read_plans

Period = tuple[int, date]

USAGE = """
    select company_id, date_trunc('month', usage_date)::date as usage_period, usage_date, meter,
        sum(quantity)::bigint as quantity
    from marts.fct_meter_usage_daily
    where %(company_id)s::bigint is null or company_id = %(company_id)s
    group by company_id, usage_date, meter
"""
BOOKED = """
    select company_id, usage_period, charge, meter, usage_date, quantity, amount, currency, seq
    from billing.rated_usage
    where %(company_id)s::bigint is null or company_id = %(company_id)s
    order by company_id, line_id
"""
# The plan of a usage period is the one in force when the period ends, so that a change within it counts for all of it.
SUBSCRIPTIONS = """
    select distinct on (periods.company_id, periods.usage_period)
        periods.company_id, periods.usage_period, subscriptions.plan_key, subscriptions.plan_version
    from (
        select distinct usage.company_id, date_trunc('month', usage.usage_date)::date as usage_period,
            companies.time_zone
        from marts.fct_meter_usage_daily as usage
        inner join marts.dim_companies as companies on usage.company_id = companies.company_id
        where %(company_id)s::bigint is null or usage.company_id = %(company_id)s
    ) as periods
    inner join raw.subscriptions as subscriptions
        on periods.company_id = subscriptions.company_id
        and subscriptions.status <> 'cancelled'
        and subscriptions.received_at <= %(known_at)s
        and subscriptions.valid_from
            < ((periods.usage_period + interval '1 month')::timestamp at time zone periods.time_zone)
    order by periods.company_id, periods.usage_period, subscriptions.valid_from desc, subscriptions.received_at desc
"""


def lines_due(connection: Connection, known_at: datetime, company_id: int | None = None) -> list[RatedLine]:
    """The lines that bring the ledger to what the usage in the marts costs; none where nothing changed.

    A company without a subscription owes nothing. `company_id` asks for one company only.
    """
    parameters = {"known_at": known_at, "company_id": company_id}
    plans = {(plan.plan_key, plan.version): plan for plan in read_plans(connection)[0]}
    usage: dict[Period, list[tuple[date, str, int]]] = defaultdict(list)
    for row in _rows(connection, USAGE, parameters):
        usage[row["company_id"], row["usage_period"]].append((row["usage_date"], row["meter"], row["quantity"]))
    booked: dict[Period, list[BookedLine]] = defaultdict(list)
    for row in _rows(connection, BOOKED, parameters):
        booked[row.pop("company_id"), row.pop("usage_period")].append(BookedLine(**row))
    lines: list[RatedLine] = []
    for row in _rows(connection, SUBSCRIPTIONS, parameters):
        period = row["company_id"], row["usage_period"]
        plan = plans[row["plan_key"], row["plan_version"]]
        lines += due_lines(plan, _charged(plan, usage[period]), booked[period], *period)
    return lines


def _charged(plan: Plan, usage: Iterable[tuple[date, str, int]]) -> list[tuple[date, str, int]]:
    meters = {charge.meter for charge in plan.charges}
    return [row for row in usage if row[1] in meters]


def book(connection: Connection, lines: Iterable[RatedLine], now: datetime) -> int:
    """Append lines to the ledger; one that is there already stays as it is. Returns how many are new."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into billing.rated_usage (company_id, line_id, usage_period, invoice_period, plan_key, plan_version,
                charge, meter, usage_date, seq, quantity, amount, currency, rated_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict do nothing
            """,
            [
                (
                    *(line.company_id, line.line_id, line.usage_period, line.usage_period),
                    *(line.plan_key, line.plan_version, line.charge, line.meter, line.usage_date),
                    *(line.seq, line.quantity, line.amount, line.currency, now),
                )
                for line in lines
            ],
        )
        return max(cursor.rowcount, 0)


RATED_DAYS = """
    select rated.company_id, companies.company_key, rated.meter, rated.usage_date,
        sum(rated.quantity)::bigint as quantity, companies.time_zone, companies.stripe_customer_id
    from billing.rated_usage as rated
    inner join marts.dim_companies as companies on rated.company_id = companies.company_id
    where rated.meter is not null
    group by rated.company_id, companies.company_key, rated.meter, rated.usage_date, companies.time_zone,
        companies.stripe_customer_id
"""


def rated_days(connection: Connection) -> list[dict[str, Any]]:
    """What was rated per company, meter and usage date, as `plan_meter_events` reads it."""
    return _rows(connection, RATED_DAYS)


def _rows(connection: Connection, query: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query.encode(), parameters).fetchall()
