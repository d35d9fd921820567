"""The meter-event outbox: planned once, resent only under the same key, and given to a person in doubt."""

from datetime import UTC, date, datetime, timedelta

import pytest

from integrations.stripe.meter_events import plan_meter_events
from integrations.stripe.outbox import planned_rows, send_pending, store_planned
from integrations.stripe.transports.file import FileBilling
from integrations.stripe.transports.submission import Submission

NOW = datetime(2026, 10, 8, 12, tzinfo=UTC)


class Scripted:
    """A live transport that answers as it is told, and remembers the events it was given."""

    destination, from_date = "stripe:acct_1", None

    def __init__(self, *states: str) -> None:
        self.states, self.events = list(states), []

    def deliver(self, event):
        self.events.append(event)
        return Submission(self.states.pop(0))


def plan(connection, quantity: int, destination: str = Scripted.destination) -> int:
    rated = {
        "company_id": 1,
        "company_key": "acme",
        "meter": "call_seconds",
        "usage_date": date(2026, 10, 7),
        "quantity": quantity,
        "time_zone": "Europe/Berlin",
        "stripe_customer_id": "cus_1",
    }
    planned = plan_meter_events([rated], planned_rows(connection, destination))
    return store_planned(connection, destination, planned.events, NOW)


def rows(connection):
    return connection.execute("select quantity, seq, state from billing.meter_events order by seq").fetchall()


def test_usage_is_planned_once_and_a_correction_is_one_more_event(connection, tmp_path):
    transport = FileBilling(tmp_path)
    assert plan(connection, 1000, "file") == 1
    assert send_pending(connection, transport, NOW) == {"dry_run": 1}
    assert plan(connection, 1000, "file") == 0
    assert plan(connection, 900, "file") == 1
    send_pending(connection, transport, NOW)
    assert [(int(quantity), state) for quantity, _, state in rows(connection)] == [(1000, "dry_run"), (-100, "dry_run")]
    assert len((tmp_path / "meter_events.jsonl").read_text().splitlines()) == 2


def test_a_dry_run_never_counts_as_sent(connection, tmp_path):
    plan(connection, 1000, "file")
    send_pending(connection, FileBilling(tmp_path), NOW)
    assert plan(connection, 1000) == 1


def test_an_open_outcome_is_resent_under_the_same_key_and_with_the_same_body(connection):
    plan(connection, 1000)
    transport = Scripted("sending", "accepted")
    assert send_pending(connection, transport, NOW) == {"sending": 1}
    assert send_pending(connection, transport, NOW + timedelta(hours=22)) == {"accepted": 1}
    assert transport.events[0] == transport.events[1]


def test_after_23_hours_an_open_outcome_is_left_to_a_person(connection):
    plan(connection, 1000)
    transport = Scripted("sending", "accepted")
    send_pending(connection, transport, NOW)
    assert send_pending(connection, transport, NOW + timedelta(hours=23, seconds=1)) == {}
    assert rows(connection)[0][2] == "verify"
    assert len(transport.events) == 1


def test_a_rejected_event_is_planned_anew_and_an_uncertain_one_is_not(connection):
    plan(connection, 1000)
    send_pending(connection, Scripted("rejected"), NOW)
    assert plan(connection, 1000) == 1
    send_pending(connection, Scripted("verify"), NOW)
    assert plan(connection, 1000) == 0


def test_it_is_marked_before_the_call(connection):
    plan(connection, 1000)
    seen = []

    class Looking(Scripted):
        def deliver(self, event):
            seen.append(rows(connection)[0][2])
            return super().deliver(event)

    send_pending(connection, Looking("accepted"), NOW)
    assert seen == ["sending"]


@pytest.mark.parametrize("count", [1, 1203])
def test_all_that_is_pending_is_sent_whatever_the_batch(connection, tmp_path, count):
    rated = [
        {
            "company_id": number,
            "company_key": f"c-{number}",
            "meter": "calls",
            "usage_date": date(2026, 10, 7),
            "quantity": 1,
            "time_zone": "Europe/Berlin",
            "stripe_customer_id": "cus_1",
        }
        for number in range(count)
    ]
    store_planned(connection, "file", plan_meter_events(rated, []).events, NOW)
    assert send_pending(connection, FileBilling(tmp_path), NOW) == {"dry_run": count}
