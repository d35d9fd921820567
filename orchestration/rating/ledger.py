"""Append to the ledger what is due, and remember from what it was rated."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from integrations.postgres.usage_dates import mark_rated, unrated_dates
from ml.rating.limits import allowances
from ml.rating.lines import RatedLine
from ml.rating.money import EXACT
from ml.rating.steps import Step
from orchestration.rating.inputs import WANTED, lines_due, spans_due, wanted
from orchestration.rating.periods import Due, periods_due

__all__ = ["BILLING_LOCK", "Rating", "rate_periods", "rated_days"]

BILLING_LOCK = 7_151_006


@dataclass(frozen=True)
class Rating:
    """What a run did: how many periods it looked at, how many lines it booked, and what they come to by currency."""

    count_periods: int
    count_lines: int
    amounts: Mapping[str, Decimal]


def rate_periods(connection: Connection, known_at: datetime) -> Rating:
    """Book what is due for the companies and periods that changed, and only those, in one transaction."""
    with connection.transaction():
        versions = unrated_dates(connection)
        due = periods_due(connection, known_at)
        lines = lines_due(connection, due)
        count = _book(connection, lines, known_at)
        _write_allowances(connection, due)
        _mark(connection, due, known_at)
        mark_rated(connection, versions)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        amounts[line.currency] += line.amount
    return Rating(len(due), count, dict(amounts))


RATED_DAYS = """
    select rated.company_id, companies.company_key, rated.meter, rated.usage_date,
        sum(rated.quantity) as quantity, companies.time_zone, companies.stripe_customer_id
    from billing.rated_usage as rated
    inner join marts.dim_companies as companies on rated.company_id = companies.company_id
    where rated.meter is not null
    group by rated.company_id, companies.company_key, rated.meter, rated.usage_date, companies.time_zone,
        companies.stripe_customer_id
"""


def rated_days(connection: Connection) -> list[dict[str, Any]]:
    """What was rated per company, meter and usage date, as `plan_meter_events` reads it."""
    return connection.cursor(row_factory=dict_row).execute(RATED_DAYS).fetchall()


def _book(connection: Connection, lines: Iterable[RatedLine], now: datetime) -> int:
    """Append lines to the ledger; one that is there already stays as it is. Returns how many are new."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into billing.rated_usage (company_id, line_id, usage_period, invoice_period, terms_key, plan_key,
                plan_version, charge, meter, unit, usage_date, seq, quantity, unit_price, tier, amount, currency,
                detail, corrects, rated_at)
            values (%(company_id)s, %(line_id)s, %(usage_period)s, %(invoice_period)s, %(terms_key)s, %(plan_key)s,
                %(plan_version)s, %(charge)s, %(meter)s, %(unit)s, %(usage_date)s, %(seq)s, %(quantity)s,
                %(unit_price)s, %(tier)s, %(amount)s, %(currency)s, %(detail)s, %(corrects)s, %(rated_at)s)
            on conflict do nothing
            """,
            [_ledger_row(line) | {"rated_at": now} for line in lines],
        )
        return max(cursor.rowcount, 0)


def _ledger_row(line: RatedLine) -> dict[str, Any]:
    row = {name: getattr(line, name) for name in type(line).__dataclass_fields__}
    last = line.last_step
    return row | {
        "unit_price": last and last.unit_price,
        "tier": last and last.tier,
        "detail": Jsonb([_readable(step) for step in line.detail]),
    }


def _readable(step: Step) -> dict[str, Any]:
    return {name: _text(value) if isinstance(value, Decimal) else value for name, value in asdict(step).items()}


def _text(number: Decimal) -> str:
    """The number without zeros that say nothing, and with all other digits: a number of JSON would lose some."""
    return format(number.normalize(EXACT), "f")


def _write_allowances(connection: Connection, due: Sequence[Due]) -> None:
    rows = [
        (*one.period, own.meter, own.included, own.limit, own.on_breach)
        for one, spans in spans_due(connection, due)
        for own in allowances(spans, one.usage_period)
    ]
    connection.execute(
        f"delete from billing.allowances as known using {WANTED} where known.company_id = wanted.company_id"
        " and known.usage_period = wanted.usage_period".encode(),
        wanted(due),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into billing.allowances (company_id, usage_period, meter, included_quantity, limit_quantity,"
            " on_breach) values (%s, %s, %s, %s, %s, %s)",
            rows,
        )


def _mark(connection: Connection, due: Sequence[Due], now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into billing.rated_periods (company_id, usage_period, usage_signature, terms_signature, rated_at)
            values (%s, %s, %s, %s, %s)
            on conflict (company_id, usage_period) do update set usage_signature = excluded.usage_signature,
                terms_signature = excluded.terms_signature, rated_at = excluded.rated_at
            """,
            [(*one.period, one.usage_signature, one.terms_signature, now) for one in due],
        )
