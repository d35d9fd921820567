"""The outbox of mails: each company gets each mail once, and an unknown outcome is never resent."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from integrations.messaging.planning import PlannedNotification
from integrations.messaging.rendering import render
from integrations.messaging.transports.mail import Delivery, MailTransport, OutgoingMail

__all__ = ["planned_keys", "send_pending", "store_planned"]

STATE_OF_DELIVERY = {"retry_later": "planned"}


def planned_keys(connection: Connection, destination: str) -> set[str]:
    """The keys of all mails that were ever planned or suppressed for `destination`."""
    rows = connection.execute(
        "select notification_key from messaging.notifications where destination = %s", [destination]
    )
    return {row[0] for row in rows}


def store_planned(
    connection: Connection,
    destination: str,
    notifications: Iterable[PlannedNotification],
    payloads: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> int:
    """Write notifications with the payload of their key; returns how many are new."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into messaging.notifications
                (company_id, destination, notification_key, kind, locale, recipient, payload, state, detail, planned_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict do nothing
            """,
            [
                (
                    *(n.company_id, destination, n.key, n.kind, n.locale, n.recipient),
                    *(Jsonb(payloads[n.key]), n.state, n.reason, now),
                )
                for n in notifications
            ],
        )
        return max(cursor.rowcount, 0)


def send_pending(connection: Connection, transport: MailTransport, sender: str, now: datetime) -> dict[str, int]:
    """Deliver what is planned, one by one; returns the number of mails by new state.

    A row is marked `sending` and committed before its call. One that a dead run left so has perhaps been sent: it
    becomes `unknown` and stays with a person, except for files, which are written once whatever happens.
    """
    outcome: dict[str, int] = {}
    _settle_interrupted(connection, transport.destination)
    for row in _one_by_one(connection, transport.destination, now):
        delivery, subject = _deliver(transport, row, sender, now)
        state = STATE_OF_DELIVERY.get(delivery.state, delivery.state)
        connection.execute(
            """
            update messaging.notifications set state = %s, detail = %s, subject = %s, finished_at = %s
            where company_id = %s and destination = %s and notification_key = %s
            """,
            [
                *(state, delivery.detail, subject, None if state == "planned" else now),
                *(row["company_id"], transport.destination, row["notification_key"]),
            ],
        )
        outcome[state] = outcome.get(state, 0) + 1
    return outcome


def _one_by_one(connection: Connection, destination: str, now: datetime) -> Iterable[dict[str, Any]]:
    """Claim a mail only when its turn comes, so that a crash leaves at most one of unknown outcome."""
    keys = connection.execute(
        "select company_id, notification_key from messaging.notifications where destination = %s and state = 'planned'"
        " order by notification_key",
        [destination],
    ).fetchall()
    for company_id, key in keys:
        row = (
            connection.cursor(row_factory=dict_row)
            .execute(
                """
                update messaging.notifications set state = 'sending', first_tried_at = coalesce(first_tried_at, %s)
                where company_id = %s and destination = %s and notification_key = %s and state = 'planned' returning *
                """,
                [now, company_id, destination, key],
            )
            .fetchone()
        )
        if row:
            yield row


def _settle_interrupted(connection: Connection, destination: str) -> None:
    state = "planned" if destination == "file" else "unknown"
    connection.execute(
        "update messaging.notifications set state = %s, detail = 'a run ended while it was being sent'"
        " where destination = %s and state = 'sending'",
        [state, destination],
    )


def _deliver(
    transport: MailTransport, row: Mapping[str, Any], sender: str, now: datetime
) -> tuple[Delivery, str | None]:
    try:
        mail = render(row["kind"], row["locale"], row["payload"])
    except ValueError as error:
        return Delivery("failed", detail=str(error)), None
    outgoing = OutgoingMail(
        key=row["notification_key"],
        kind=row["kind"],
        company=row["payload"]["company_name"],
        locale=row["locale"],
        sender=sender,
        recipient=row["recipient"],
        subject=mail.subject,
        html=mail.html,
        text=mail.text,
        date=now,
    )
    return transport.deliver(outgoing), mail.subject
