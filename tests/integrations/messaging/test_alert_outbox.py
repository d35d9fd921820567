"""The operators' outbox: each alert is told once to each destination, and none is lost."""

import json
from datetime import UTC, datetime

import psycopg
import pytest

from integrations.messaging.alert_outbox import send_alerts, store_alerts
from integrations.messaging.alerts import failed_run
from integrations.messaging.transports.alerts import FileAlerts, MailAlerts, alert_transport
from integrations.messaging.transports.mail import Delivery

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALERT = failed_run("ingestion_job", "abc", "a <b> & c")


class Scripted:
    """A live transport of mails that answers as it is told, and remembers what it was given."""

    destination, from_date = "sendgrid", None

    def __init__(self, *answers):
        self.answers, self.mails = list(answers), []

    def deliver(self, mail):
        self.mails.append(mail)
        return Delivery(self.answers.pop(0), detail="so it is")


def mailing(*answers):
    mails = Scripted(*answers)
    return MailAlerts(mails, "a@example.com", "ops@example.com"), mails


def rows(connection):
    return connection.execute("select destination, alert_key, state from messaging.operator_alerts").fetchall()


def test_an_alert_is_written_once_and_ends_as_a_dry_run(connection, tmp_path):
    assert store_alerts(connection, "file", [ALERT], NOW) == 1
    assert send_alerts(connection, FileAlerts(tmp_path)) == {"dry_run": 1}
    assert store_alerts(connection, "file", [ALERT], NOW) == 0
    assert send_alerts(connection, FileAlerts(tmp_path)) == {}
    (line,) = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "alert_key": "AL-04:run:abc",
        "rule": "AL-04",
        "severity": "critical",
        "subject": "A run of ingestion_job failed",
        "body": ALERT.body,
        "raised_at": "2026-11-20T12:00:00+00:00",
    }


def test_an_alert_whose_sender_died_after_writing_is_in_the_file_once(connection, tmp_path):
    store_alerts(connection, "file", [ALERT], NOW)
    send_alerts(connection, FileAlerts(tmp_path))
    connection.execute("update messaging.operator_alerts set state = 'planned'")
    assert send_alerts(connection, FileAlerts(tmp_path)) == {"dry_run": 1}
    assert len((tmp_path / "alerts.jsonl").read_text().splitlines()) == 1


def test_a_dry_run_is_no_delivery_for_a_live_destination(connection, tmp_path):
    transport, mails = mailing("accepted")
    for destination in ("file", transport.destination):
        assert store_alerts(connection, destination, [ALERT], NOW) == 1
    assert send_alerts(connection, transport) == {"accepted": 1}
    assert sorted(rows(connection)) == [("file", ALERT.key, "planned"), ("sendgrid", ALERT.key, "accepted")]
    (mail,) = mails.mails
    assert (mail.recipient, mail.subject, mail.text) == (
        "ops@example.com",
        "[critical] A run of ingestion_job failed",
        ALERT.body,
    )
    assert mail.html.startswith("<pre>a &lt;b&gt; &amp; c")


@pytest.mark.parametrize(
    ("answer", "kept", "tries"), [("retry_later", "planned", 2), ("unknown", "failed", 1), ("suppressed", "failed", 1)]
)
def test_only_what_was_surely_not_sent_is_tried_again(connection, answer, kept, tries):
    transport, mails = mailing(answer, "accepted")
    store_alerts(connection, "sendgrid", [ALERT], NOW)
    assert send_alerts(connection, transport) == {kept: 1}
    assert connection.execute("select detail from messaging.operator_alerts").fetchone() == ("so it is",)
    send_alerts(connection, transport)
    assert len(mails.mails) == tries


def test_a_file_that_can_not_be_written_leaves_the_alert_planned(connection, tmp_path):
    store_alerts(connection, "file", [ALERT], NOW)
    (tmp_path / "blocked").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="blocked"):
        send_alerts(connection, FileAlerts(tmp_path / "blocked"))
    assert rows(connection) == [("file", ALERT.key, "planned")]


def test_while_one_sender_has_an_alert_no_other_sends_it(connection, database_url):
    store_alerts(connection, "sendgrid", [ALERT], NOW)
    seen = []

    class Looking(Scripted):
        def deliver(self, mail):
            with psycopg.connect(database_url, autocommit=True) as other:
                seen.append(send_alerts(other, mailing("accepted")[0]))
            return super().deliver(mail)

    assert send_alerts(connection, MailAlerts(Looking("accepted"), "a@example.com", "o@example.com")) == {"accepted": 1}
    assert seen == [{}]


LIVE = {"MAIL_TRANSPORT": "smtp", "SMTP_URL": "smtp://mail.invalid", "MAIL_FROM": "a@b.invalid", "ALLOW_LIVE": "1"}


@pytest.mark.parametrize(
    ("settings", "destination"),
    [
        ({}, "file"),
        ({"OPERATORS_EMAIL": "ops@example.com"}, "file"),
        ({**LIVE, "MAIL_FROM_DATE": "2026-11-01"}, "file"),
        ({**LIVE, "MAIL_FROM_DATE": "2026-11-01", "OPERATORS_EMAIL": "ops@example.com"}, "smtp:mail.invalid"),
    ],
)
def test_alerts_are_mailed_when_mails_are_live_and_somebody_is_named(settings, destination, tmp_path):
    assert alert_transport(settings, tmp_path).destination == destination


def test_live_alerts_need_what_live_mails_need(tmp_path):
    with pytest.raises(ValueError, match="lacks MAIL_FROM_DATE"):
        alert_transport({**LIVE, "OPERATORS_EMAIL": "ops@example.com"}, tmp_path)
