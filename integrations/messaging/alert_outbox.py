"""The operators' outbox: each alert is written once, and sent until it is known to have left."""

from collections.abc import Iterable
from datetime import datetime

from psycopg import Connection
from psycopg.rows import dict_row

from integrations.messaging.alerts import Alert
from integrations.messaging.transports.alerts import AlertTransport

__all__ = ["send_alerts", "store_alerts"]

STATE_OF_DELIVERY = {"retry_later": "planned", "unknown": "failed", "suppressed": "failed"}


def store_alerts(connection: Connection, destination: str, alerts: Iterable[Alert], now: datetime) -> int:
    """Write alerts; one whose key is there already stays as it is. Returns how many are new."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into messaging.operator_alerts
                (destination, alert_key, rule, severity, subject, body, raised_at, state)
            values (%s, %s, %s, %s, %s, %s, %s, 'planned')
            on conflict do nothing
            """,
            [(destination, a.key, a.rule, a.severity, a.subject, a.body, now) for a in alerts],
        )
        return max(cursor.rowcount, 0)


def send_alerts(connection: Connection, transport: AlertTransport) -> dict[str, int]:
    """Deliver what is planned, one by one; returns the number of alerts by new state.

    A row is locked while it is sent, so that two senders don't send it twice. One that a dead sender left is sent
    again: an alert twice is better than none, other than for the mails of companies.
    """
    keys = connection.execute(
        "select alert_key from messaging.operator_alerts where destination = %s and state = 'planned'"
        " order by raised_at, alert_key",
        [transport.destination],
    ).fetchall()
    outcome: dict[str, int] = {}
    for (key,) in keys:
        if state := _send(connection, transport, key):
            outcome[state] = outcome.get(state, 0) + 1
    return outcome


def _send(connection: Connection, transport: AlertTransport, key: str) -> str | None:
    """The new state of one alert; None when another sender has it."""
    where = [transport.destination, key]
    with connection.transaction():
        row = (
            connection.cursor(row_factory=dict_row)
            .execute(
                "select * from messaging.operator_alerts"
                " where destination = %s and alert_key = %s and state = 'planned' for update skip locked",
                where,
            )
            .fetchone()
        )
        if row is None:
            return None
        about = row["alert_key"].removeprefix(f"{row['rule']}:")
        alert = Alert(row["rule"], about, row["severity"], row["subject"], row["body"])
        delivery = transport.deliver(alert, row["raised_at"])
        state = STATE_OF_DELIVERY.get(delivery.state, delivery.state)
        connection.execute(
            "update messaging.operator_alerts set state = %s, detail = %s where destination = %s and alert_key = %s",
            [state, delivery.detail, *where],
        )
    return state
