"""Tell the operators: the loads that the rules judge, and the way into the outbox and out of it."""

import os
from collections.abc import Iterable
from datetime import datetime

from psycopg import Connection
from psycopg.rows import dict_row

from integrations.messaging.alert_outbox import send_alerts, store_alerts
from integrations.messaging.alerts import LOOK_BACK, WINDOW, Alert, high_failure_rates, loads_to_settle
from integrations.messaging.transports.alerts import alert_transport
from orchestration import paths

LOADS = """
    select load_id, feed, file_name, status, message, count_read, count_rejected, received_at from raw.loads
    where status in ('failed', 'held') or received_at >= %s order by load_id
"""


def load_alerts(connection: Connection, now: datetime) -> list[Alert]:
    """What the loads give reason to tell."""
    since = now - LOOK_BACK - WINDOW
    loads = connection.cursor(row_factory=dict_row).execute(LOADS, [since]).fetchall()
    return [*high_failure_rates(loads, now), *loads_to_settle(loads)]


def tell(connection: Connection, alerts: Iterable[Alert], now: datetime) -> int:
    """Write alerts into the operators' outbox and send what waits there; returns how many are new."""
    transport = alert_transport(os.environ, paths.outbox() / "operators")
    count = store_alerts(connection, transport.destination, alerts, now)
    send_alerts(connection, transport)
    return count
