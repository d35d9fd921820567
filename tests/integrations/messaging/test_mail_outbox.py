"""The mail outbox: each mail once, whatever is rerun, interrupted or answered."""

from datetime import UTC, date, datetime

import pytest

from integrations.messaging.outbox import planned_keys, send_pending, store_planned
from integrations.messaging.planning import plan_notifications
from integrations.messaging.transports.file import FileTransport
from integrations.messaging.transports.mail import Delivery

NOW = datetime(2026, 10, 8, 12, tzinfo=UTC)
PAYLOAD = {
    "company_name": "Praxis 07",
    "window_start": "2026-10-01",
    "window_end": "2026-10-08",
    "totals": {"calls": 10, "call_minutes": 25.5, "appointments": 4},
    "findings": [{"code": "peak_usage_day", "severity": "info", "numbers": {"weekday": 0, "share": 0.3}}],
}


class Scripted:
    """A live transport that answers as it is told, and remembers what it was given."""

    destination, from_date = "sendgrid", None

    def __init__(self, *states: str) -> None:
        self.states, self.keys = list(states), []

    def deliver(self, mail):
        self.keys.append(mail.key)
        return Delivery(self.states.pop(0))


def plan(connection, destination: str, payload=PAYLOAD) -> int:
    result = {"key": "day-7:praxis-07", "company_id": 1, "company_key": "praxis-07", "locale": "de"}
    result |= {"activated_on": date(2026, 10, 1), "due_on": date(2026, 10, 8)}
    due = plan_notifications([result], planned_keys(connection, destination), None, kind="first_insights")
    return store_planned(connection, destination, due, {result["key"]: payload}, NOW)


def state(connection) -> tuple[str, str | None]:
    return connection.execute("select state, detail from messaging.notifications").fetchone()


def test_a_mail_is_planned_once_and_delivered_once(connection, tmp_path):
    transport = FileTransport(tmp_path)
    assert plan(connection, "file") == 1
    assert send_pending(connection, transport, "a@example.com", NOW) == {"dry_run": 1}
    assert plan(connection, "file") == 0
    assert send_pending(connection, transport, "a@example.com", NOW) == {}
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".eml", ".html"]


def test_a_dry_run_is_no_delivery_for_a_live_destination(connection, tmp_path):
    plan(connection, "file")
    send_pending(connection, FileTransport(tmp_path), "a@example.com", NOW)
    assert plan(connection, "sendgrid") == 1


def test_a_live_mail_that_a_dead_run_was_sending_is_unknown_and_never_sent_again(connection):
    plan(connection, "sendgrid")
    connection.execute("update messaging.notifications set state = 'sending'")
    transport = Scripted("accepted")
    assert send_pending(connection, transport, "a@example.com", NOW) == {}
    assert state(connection) == ("unknown", "a run ended while it was being sent")
    assert transport.keys == []


def test_a_file_that_a_dead_run_was_writing_is_written_once_more(connection, tmp_path):
    plan(connection, "file")
    connection.execute("update messaging.notifications set state = 'sending'")
    assert send_pending(connection, FileTransport(tmp_path), "a@example.com", NOW) == {"dry_run": 1}


@pytest.mark.parametrize(
    ("answer", "kept", "tries"), [("retry_later", "planned", 2), ("unknown", "unknown", 1), ("failed", "failed", 1)]
)
def test_only_what_was_surely_not_sent_is_tried_again(connection, answer, kept, tries):
    plan(connection, "sendgrid")
    transport = Scripted(answer, "accepted")
    assert send_pending(connection, transport, "a@example.com", NOW) == {kept: 1}
    send_pending(connection, transport, "a@example.com", NOW)
    assert len(transport.keys) == tries


def test_it_is_marked_before_the_call(connection):
    plan(connection, "sendgrid")
    seen = []

    class Looking(Scripted):
        def deliver(self, mail):
            seen.append(state(connection)[0])
            return super().deliver(mail)

    send_pending(connection, Looking("accepted"), "a@example.com", NOW)
    assert seen == ["sending"]


def test_a_mail_that_cannot_be_rendered_fails_in_words(connection, tmp_path):
    plan(connection, "file", {**PAYLOAD, "totals": {}})
    assert send_pending(connection, FileTransport(tmp_path), "a@example.com", NOW) == {"failed": 1}
    assert "totals.calls is missing" in state(connection)[1]
