import logging
import socket
from urllib.error import URLError

import pytest

from integrations.messaging.transports import SendGridTransport
from integrations.messaging.transports.sendgrid import mail_body, outcome_of_status
from tests.fakes.sendgrid import API_KEY, FakeSendGrid


@pytest.fixture
def sendgrid(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with FakeSendGrid() as fake:
        yield fake


def transport(fake, key=API_KEY):
    return SendGridTransport(key, host=fake.url)


def test_a_mail_is_accepted_once_with_its_outbox_key(sendgrid, mail):
    delivery = transport(sendgrid).deliver(mail())
    assert (delivery.state, delivery.provider_id) == ("accepted", "message-1")
    (sent,) = sendgrid.mails
    assert sent["personalizations"] == [
        {"to": [{"email": "owner@acme.invalid"}], "custom_args": {"outbox_key": "day-7:acme"}}
    ]
    assert sent["from"] == {"email": "noreply@usage-pricing.invalid", "name": "Usage Pricing"}
    assert [part["value"] for part in sent["content"]] == ["Grüße", "<p>Grüße</p>"]


def test_every_kind_of_tracking_is_off(mail):
    settings = mail_body(mail())["tracking_settings"]
    assert {name: setting["enable"] for name, setting in settings.items()} == {
        "click_tracking": False,
        "open_tracking": False,
        "subscription_tracking": False,
    }


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (400, "failed"),
        (401, "failed"),
        (403, "failed"),
        (413, "failed"),
        (429, "retry_later"),
        (500, "unknown"),
        (502, "unknown"),
        (503, "unknown"),
        (504, "unknown"),
        ("cut", "unknown"),
        ("lost", "unknown"),
    ],
)
def test_an_answer_becomes_a_state_and_nothing_is_tried_twice(sendgrid, mail, fault, state):
    sendgrid.faults.append(fault)
    delivery = transport(sendgrid).deliver(mail())
    assert delivery.state == state
    assert delivery.detail
    assert sendgrid.requests == 1


def test_no_answer_in_time_is_an_unknown_outcome(sendgrid, mail):
    sendgrid.faults.append("slow")
    assert transport(sendgrid).deliver(mail(), timeout=0.1).state == "unknown"


def test_a_wrong_key_fails_and_is_not_shown(sendgrid, mail):
    delivery = transport(sendgrid, key="SG.wrong").deliver(mail())
    assert delivery.state == "failed"
    assert "SG.wrong" not in str(delivery)


def test_a_refused_connection_can_be_tried_again(mail):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert SendGridTransport(API_KEY, host=f"http://127.0.0.1:{port}").deliver(mail()).state == "retry_later"


@pytest.mark.parametrize(
    ("reason", "state"), [(socket.gaierror("no such host"), "retry_later"), (BrokenPipeError(), "unknown")]
)
def test_what_broke_before_sending_can_be_tried_again(mail, monkeypatch, reason, state):
    def broken(*args, **kwargs):
        raise URLError(reason)

    monkeypatch.setattr("python_http_client.client.Client._make_request", broken)
    assert SendGridTransport(API_KEY).deliver(mail()).state == state


def test_the_limit_of_a_429_says_when_to_come_back(sendgrid, mail):
    sendgrid.faults.append(429)
    assert "1795000000" in transport(sendgrid).deliver(mail()).detail


def test_the_sandbox_is_a_dry_run():
    assert outcome_of_status(200, {}, b"").state == "dry_run"


def test_a_mail_without_recipient_is_suppressed_before_any_request(sendgrid, mail):
    delivery = transport(sendgrid).deliver(mail(recipient=None))
    assert (delivery.state, sendgrid.requests) == ("suppressed", 0)


@pytest.mark.parametrize(
    "recipient",
    [
        "not an address",
        "a@b.invalid, c@d.invalid",
        "A <a@b.invalid>",
        "a@b@c",
        "a@b.invalid\r\nBcc: c@d.invalid",
        "@b",
        "",
    ],
)
def test_what_is_not_one_address_fails_before_any_request(sendgrid, mail, recipient):
    delivery = transport(sendgrid).deliver(mail(recipient=recipient))
    assert (delivery.state, sendgrid.requests) == ("failed", 0)


def test_a_sender_with_umlauts_fails_before_any_request(sendgrid, mail):
    delivery = transport(sendgrid).deliver(mail(sender="Grüße <noreply@usage-pricing.invalid>"))
    assert (delivery.state, sendgrid.requests) == ("failed", 0)


def test_a_bare_sender_has_no_name(mail):
    assert mail_body(mail(sender="a@b.invalid"))["from"] == {"email": "a@b.invalid"}


def test_a_body_without_recipient_is_refused(mail):
    with pytest.raises(ValueError, match="has no recipient"):
        mail_body(mail(recipient=None))


def test_the_log_never_shows_key_or_mail(sendgrid, mail, caplog):
    logging.getLogger("python_http_client").setLevel(logging.NOTSET)
    with caplog.at_level(logging.DEBUG):
        transport(sendgrid).deliver(mail())
    assert API_KEY not in caplog.text
    assert "owner@acme.invalid" not in caplog.text


def test_the_destination_names_no_secret():
    assert SendGridTransport("SG.secret").destination == "sendgrid"
