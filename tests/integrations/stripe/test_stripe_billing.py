import socket
from datetime import date

import pytest

from integrations.stripe.meter_events import plan_meter_events
from integrations.stripe.transports import StripeBilling
from integrations.stripe.transports.stripe import outcome_of_error
from tests.fakes.stripe_api import API_KEY, DAY


def billing(url, key=API_KEY, retries=0, **options):
    return StripeBilling(key, base_addresses={"api": url, "meter_events": url}, max_network_retries=retries, **options)


def test_an_event_is_accepted_under_its_key(stripe_api, event):
    assert billing(stripe_api.url).deliver(event()).state == "accepted"
    ((idempotency_key, form),) = stripe_api.requests
    assert idempotency_key == event().key
    assert stripe_api.events[event().key][0]["payload[value]"] == "100"
    assert "identifier=u1%3Acalls%3A" in form


def test_a_resend_counts_once_while_stripe_remembers_the_answer(stripe_api, event):
    client = billing(stripe_api.url)
    assert [client.deliver(event()).state for _ in range(2)] == ["accepted", "accepted"]
    assert stripe_api.total("usage_calls", "cus_1") == 100


def test_a_resend_counts_once_when_only_the_identifier_is_remembered(stripe_api, event):
    client = billing(stripe_api.url)
    client.deliver(event())
    stripe_api.forget_idempotency()
    again = client.deliver(event())
    assert (again.state, again.code) == ("accepted", "duplicate_meter_event")
    assert "already exists" in again.detail
    assert stripe_api.total("usage_calls", "cus_1") == 100


@pytest.mark.parametrize("fault", [429, 409, 500, 502, 503, "cut", "lost"])
def test_an_open_outcome_stays_sending_and_the_same_key_settles_it(stripe_api, event, fault):
    stripe_api.faults.append(fault)
    client = billing(stripe_api.url)
    assert client.deliver(event()).state == "sending"
    assert client.deliver(event()).state == "accepted"
    assert stripe_api.total("usage_calls", "cus_1") == 100


@pytest.mark.parametrize("fault", [500, "lost"])
def test_the_sdk_itself_retries_under_the_same_key(stripe_api, event, fault):
    stripe_api.faults.append(fault)
    assert billing(stripe_api.url, retries=1).deliver(event()).state == "accepted"
    assert [key for key, _ in stripe_api.requests] == [event().key] * 2
    assert stripe_api.total("usage_calls", "cus_1") == 100


def test_the_default_is_two_retries_with_timeouts(monkeypatch):
    import stripe

    seen = {}
    monkeypatch.setattr(stripe, "StripeClient", lambda key, **options: seen.update(options))
    StripeBilling(API_KEY)
    assert seen["max_network_retries"] == 2
    assert seen["http_client"]._timeout == (5, 20)


@pytest.mark.parametrize(("days_later", "code"), [(36, "timestamp_too_far_in_past"), (-4, "timestamp_in_future")])
def test_a_timestamp_out_of_range_is_rejected_with_its_code(stripe_api, event, days_later, code):
    stripe_api.now += days_later * DAY
    refused = billing(stripe_api.url).deliver(event())
    assert (refused.state, refused.code, refused.request_id) == ("rejected", code, "req_fake")


def test_a_wrong_api_key_is_a_rejection(stripe_api, event):
    refused = billing(stripe_api.url, key="sk_test_other").deliver(event())
    assert (refused.state, refused.code) == ("rejected", "invalid_request_error")


def test_a_key_used_for_another_body_is_left_to_a_person(stripe_api, event):
    client = billing(stripe_api.url)
    client.deliver(event())
    assert client.deliver(event(quantity=99)).state == "verify"
    assert stripe_api.total("usage_calls", "cus_1") == 100


def test_a_refused_connection_stays_sending(event):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert billing(f"http://127.0.0.1:{port}").deliver(event()).state == "sending"


def test_an_event_without_a_value_is_refused_before_any_request(stripe_api, event):
    with pytest.raises(ValueError, match="Stripe would refuse its value"):
        billing(stripe_api.url).deliver(event(quantity=None))
    assert stripe_api.requests == []


@pytest.mark.parametrize(
    ("status", "kind", "code", "message", "state", "reported"),
    [
        (
            400,
            "invalid_request_error",
            None,
            "An event already exists with identifier u1:x.",
            "accepted",
            "duplicate_meter_event",
        ),
        (400, "invalid_request_error", "duplicate_meter_event", "other words", "accepted", "duplicate_meter_event"),
        (409, "invalid_request_error", None, "An event already exists with identifier u1:x.", "sending", None),
        (None, None, None, "no connection", "sending", None),
        (200, None, None, "invalid body", "sending", None),
        (408, None, None, "slow", "sending", None),
        (402, "card_error", None, "card", "rejected", "card_error"),
        (404, None, None, "gone", "rejected", "404"),
        (400, "invalid_request_error", "no_meter", "no meter", "rejected", "no_meter"),
        (400, "idempotency_error", None, "same parameters", "verify", "idempotency_error"),
    ],
)
def test_a_failure_becomes_a_state(status, kind, code, message, state, reported):
    outcome = outcome_of_error(status, kind, code, message)
    assert (outcome.state, outcome.code, outcome.detail) == (state, reported, message)


def test_a_day_that_is_corrected_up_and_down_ends_at_its_last_total(stripe_api):
    rows, client = [], billing(stripe_api.url)
    for total, fault in ((1000, "lost"), (1200, 500), (900, 429), (950, None)):
        day = {"company_id": 1, "meter": "calls", "usage_date": date(2026, 11, 10)}
        company = {"company_key": "acme", "time_zone": "Europe/Berlin", "stripe_customer_id": "cus_1"}
        (planned,) = plan_meter_events([{**day, **company, "quantity": total}], rows).events
        stripe_api.faults += [fault] if fault else []
        while client.deliver(planned).state == "sending":
            pass
        rows.append({**day, "seq": planned.seq, "quantity": planned.quantity, "state": "accepted"})
        assert stripe_api.total("usage_calls", "cus_1") == total


def test_the_destination_tells_keys_apart_without_showing_them():
    one, other = (StripeBilling(key).destination for key in ("sk_test_secret_0001", "sk_test_secret_0002"))
    assert one != other
    assert len(one) == len("stripe:") + 4
    assert "0001" not in one


def test_a_named_account_keeps_the_destination_over_a_change_of_key():
    assert {StripeBilling(key, account="acct_1").destination for key in ("sk_test_1", "sk_test_2")} == {"stripe:acct_1"}
