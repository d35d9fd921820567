"""Close a usage period: what is on its invoices stays as it is, and what is found later goes to the next open one."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from psycopg import Connection
from psycopg.types.json import Jsonb

from ml.rating.spans import next_period
from orchestration.rating.ledger import rate_periods

__all__ = ["Closing", "NotClosable", "close_period", "preview"]


class NotClosable(ValueError):
    """A period that can't be closed now; the message says why, and what to do."""


@dataclass(frozen=True)
class Closing:
    """What stands on the invoices of a period: its lines, and what they come to by currency.

    `watermark` is when the last file was received of what was rated.
    """

    usage_period: date
    watermark: datetime
    count_lines: int
    totals: dict[str, Decimal]


CLOSED = "select closed_at, actor from billing.closed_periods where usage_period = %s"
STILL_RUNNING = """
    select companies.time_zone, (%(end)s::timestamp at time zone companies.time_zone) as ends_at
    from marts.dim_companies as companies
    where (%(end)s::timestamp at time zone companies.time_zone) > %(now)s
    order by ends_at desc limit 1
"""
EARLIER = """
    select min(invoice_period) from billing.rated_usage
    where invoice_period < %s and invoice_period not in (select usage_period from billing.closed_periods)
"""
NOT_BUILT = """
    select count(*) from ops.usage_date_state
    where usage_date >= %s and usage_date < %s and built_version < dirty_version
"""
LINES = """
    select currency, count(*), sum(amount) from billing.rated_usage where invoice_period = %s
    group by currency order by currency
"""
WATERMARK = "select coalesce(max(received_at), %(now)s) from raw.loads where received_at <= %(now)s"


def preview(connection: Connection, usage_period: date, now: datetime) -> Closing:
    """What closing the period would freeze, after rating whatever is due.

    Raises:
        NotClosable: when it is closed already, still runs somewhere, waits for an earlier one or for marts to be built.
    """
    _check(connection, usage_period, now)
    rate_periods(connection, now)
    rows = connection.execute(LINES, [usage_period]).fetchall()
    (watermark,) = connection.execute(WATERMARK, {"now": now}).fetchone() or (now,)
    totals = {currency: amount for currency, _, amount in rows}
    return Closing(usage_period, watermark, sum(count for _, count, _ in rows), totals)


def close_period(connection: Connection, usage_period: date, now: datetime, actor: str) -> Closing:
    """Rate what is due and freeze the period, with a row in the audit log, in one transaction.

    The caller holds `BILLING_LOCK`, so that no line is booked meanwhile. Raises NotClosable like `preview`.
    """
    with connection.transaction():
        closing = preview(connection, usage_period, now)
        facts = {
            "watermark": closing.watermark.isoformat(),
            "count_lines": closing.count_lines,
            "totals": {currency: str(amount) for currency, amount in closing.totals.items()},
        }
        connection.execute(
            "insert into billing.closed_periods (usage_period, closed_at, watermark, actor, count_lines, totals)"
            " values (%s, %s, %s, %s, %s, %s)",
            [usage_period, now, closing.watermark, actor, closing.count_lines, Jsonb(facts["totals"])],
        )
        connection.execute(
            "insert into ops.audit_log (at, actor, action, subject, detail) values (%s, %s, %s, %s, %s)",
            [now, actor, "close_period", f"{usage_period:%Y-%m}", Jsonb(facts)],
        )
    return closing


def _check(connection: Connection, usage_period: date, now: datetime) -> None:
    month, end = f"{usage_period:%Y-%m}", next_period(usage_period)
    if known := connection.execute(CLOSED, [usage_period]).fetchone():
        raise NotClosable(f"{month} was closed at {known[0]:%Y-%m-%d %H:%M} UTC by {known[1]}.")
    if running := connection.execute(STILL_RUNNING, {"end": end, "now": now}).fetchone():
        raise NotClosable(f"{month} is not over: in {running[0]} it ends at {running[1]:%Y-%m-%d %H:%M} UTC.")
    (earlier,) = connection.execute(EARLIER, [usage_period]).fetchone() or (None,)
    if earlier:
        raise NotClosable(
            f"{earlier:%Y-%m} is still open; close it first, as what it lacks would be booked into {month}."
        )
    (count,) = connection.execute(NOT_BUILT, [usage_period, end]).fetchone() or (0,)
    if count:
        raise NotClosable(f"{count} usage dates of {month} wait to be rebuilt; run usage_marts_job over them first.")
