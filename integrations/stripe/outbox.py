"""The outbox of meter events: planned once, marked before the call, never resent on a guess."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from integrations.stripe.meter_event_request import PlannedMeterEvent, meter_event_body
from integrations.stripe.transports.submission import BillingTransport, Submission

__all__ = ["planned_rows", "send_pending", "store_planned"]

BATCH = 500
SAFE_TO_RESEND = timedelta(hours=23)
"""Stripe remembers an identifier for at least 24 hours; after that a resend could count twice."""


def planned_rows(connection: Connection, destination: str) -> list[dict[str, Any]]:
    """What was planned for `destination` so far, as `plan_meter_events` reads it."""
    return (
        connection.cursor(row_factory=dict_row)
        .execute(
            "select company_id, meter, usage_date, seq, quantity, state"
            " from billing.meter_events where destination = %s",
            [destination],
        )
        .fetchall()
    )


def store_planned(connection: Connection, destination: str, events: Iterable[PlannedMeterEvent], now: datetime) -> int:
    """Write planned events; one whose key is there already stays as it is. Returns how many are new."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into billing.meter_events
                (company_id, destination, meter_event_key, meter, usage_date, seq, quantity, body, state, planned_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, 'planned', %s)
            on conflict do nothing
            """,
            [
                (
                    e.company_id,
                    destination,
                    e.key,
                    e.meter,
                    e.usage_date,
                    e.seq,
                    e.quantity,
                    Jsonb(meter_event_body(e)),
                    now,
                )
                for e in events
            ],
        )
        return max(cursor.rowcount, 0)


def send_pending(connection: Connection, transport: BillingTransport, now: datetime) -> dict[str, int]:
    """Submit what is planned, and what was on its way when a run ended; returns the number of rows by new state.

    A row is marked `sending` and committed before its call. One whose outcome stayed open is resent under the same key
    for 23 hours, and is then left to a person (`verify`).
    """
    outcome: dict[str, int] = {}
    _give_up_on_old(connection, transport.destination, now)
    last = ""
    while batch := _claim(connection, transport.destination, now, last):
        last = batch[-1]["meter_event_key"]
        results = [(row, transport.deliver(_event(row))) for row in batch]
        _finish(connection, transport.destination, results, now)
        for _, submission in results:
            outcome[submission.state] = outcome.get(submission.state, 0) + 1
    return outcome


def _give_up_on_old(connection: Connection, destination: str, now: datetime) -> None:
    connection.execute(
        """
        update billing.meter_events set state = 'verify', detail = 'the outcome stayed open for too long to resend'
        where destination = %s and destination <> 'file' and state = 'sending' and first_sent_at < %s
        """,
        [destination, now - SAFE_TO_RESEND],
    )


def _claim(connection: Connection, destination: str, now: datetime, after: str) -> Sequence[dict[str, Any]]:
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            """
            update billing.meter_events as event
            set state = 'sending', first_sent_at = coalesce(event.first_sent_at, %(now)s)
            from (
                select company_id, destination, meter_event_key from billing.meter_events
                where destination = %(destination)s and state in ('planned', 'sending') and meter_event_key > %(after)s
                order by meter_event_key limit %(limit)s
            ) as due
            where event.company_id = due.company_id and event.destination = due.destination
                and event.meter_event_key = due.meter_event_key
            returning event.*
            """,
            {"now": now, "destination": destination, "after": after, "limit": BATCH},
        )
        .fetchall()
    )
    return sorted(rows, key=lambda row: str(row["meter_event_key"]))


def _finish(
    connection: Connection,
    destination: str,
    results: Iterable[tuple[Mapping[str, Any], Submission]],
    now: datetime,
) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            update billing.meter_events set state = %s, detail = %s, finished_at = %s
            where company_id = %s and destination = %s and meter_event_key = %s
            """,
            [
                (
                    *(result.state, result.detail or result.code, None if result.state == "sending" else now),
                    *(row["company_id"], destination, row["meter_event_key"]),
                )
                for row, result in results
            ],
        )


def _event(row: Mapping[str, Any]) -> PlannedMeterEvent:
    """The event exactly as it was planned: a resend must not differ."""
    body = row["body"]
    return PlannedMeterEvent(
        key=row["meter_event_key"],
        company_id=row["company_id"],
        meter=row["meter"],
        usage_date=row["usage_date"],
        seq=row["seq"],
        quantity=row["quantity"],
        event_name=body["event_name"],
        stripe_customer_id=body["payload"]["stripe_customer_id"],
        timestamp=body["timestamp"],
    )
