from datetime import UTC, date, datetime

import pytest

from integrations.stripe.meter_event_request import PlannedMeterEvent, event_timestamp, meter_event_key
from tests.fakes.stripe_api import FakeStripe


@pytest.fixture
def event():
    """A factory of planned meter events, with overrides; the key follows the sequence number."""

    def make(seq=1, **overrides):
        day = date(2026, 11, 10)
        fields = {
            "key": meter_event_key("calls", "acme", day, seq),
            "company_id": 1,
            "meter": "calls",
            "usage_date": day,
            "seq": seq,
            "quantity": 100,
            "event_name": "usage_calls",
            "stripe_customer_id": "cus_1",
            "timestamp": event_timestamp(day, "Europe/Berlin"),
        }
        return PlannedMeterEvent(**{**fields, **overrides})

    return make


@pytest.fixture
def stripe_api(monkeypatch):
    """A fake Stripe whose clock stands two days after the usage of `event`."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with FakeStripe(now=int(datetime(2026, 11, 12, tzinfo=UTC).timestamp())) as fake:
        yield fake
