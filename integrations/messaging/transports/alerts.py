"""How an alert reaches the operators: a file of JSON lines, or mail when OPERATORS_EMAIL is set and mails are live."""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Protocol

from integrations.json_lines import JsonLines
from integrations.messaging.alerts import Alert
from integrations.messaging.transports.mail import Delivery, MailTransport, OutgoingMail
from integrations.messaging.transports.settings import mail_sender, mail_transport

__all__ = ["AlertTransport", "FileAlerts", "MailAlerts", "alert_transport"]


class AlertTransport(Protocol):
    """Delivers alerts; `destination` is part of every key."""

    @property
    def destination(self) -> str:
        """Where alerts go: `file`, `sendgrid`, `smtp:<host>`."""

    def deliver(self, alert: Alert, raised_at: datetime) -> Delivery:
        """Try once; outcomes are returned."""


class FileAlerts:
    """Appends each alert once to `alerts.jsonl`: state `dry_run`."""

    def __init__(self, folder: str | Path) -> None:
        self._file = JsonLines(Path(folder) / "alerts.jsonl", key="alert_key", kind="alert")

    @property
    def destination(self) -> str:
        """`file`."""
        return "file"

    def deliver(self, alert: Alert, raised_at: datetime) -> Delivery:
        """Append one alert, unless its key is in the file already."""
        is_new = self._file.append(
            {
                "alert_key": alert.key,
                "rule": alert.rule,
                "severity": alert.severity,
                "subject": alert.subject,
                "body": alert.body,
                "raised_at": raised_at.isoformat(),
            }
        )
        return Delivery("dry_run", detail=None if is_new else "already there")


class MailAlerts:
    """Mails each alert to one address."""

    def __init__(self, mails: MailTransport, sender: str, recipient: str) -> None:
        self._mails, self._sender, self._recipient = mails, sender, recipient

    @property
    def destination(self) -> str:
        """That of the mails."""
        return self._mails.destination

    def deliver(self, alert: Alert, raised_at: datetime) -> Delivery:
        """Send one alert."""
        mail = OutgoingMail(
            key=alert.key,
            kind="operator_alert",
            company="operators",
            locale="en",
            sender=self._sender,
            recipient=self._recipient,
            subject=f"[{alert.severity}] {' '.join(alert.subject.split())}",
            html=f"<pre>{escape(alert.body)}</pre>",
            text=alert.body,
            date=raised_at,
        )
        return self._mails.deliver(mail)


def alert_transport(settings: Mapping[str, str], folder: str | Path) -> AlertTransport:
    """Mails to OPERATORS_EMAIL when MAIL_TRANSPORT is a live one, else a file in `folder`.

    Raises:
        ValueError: as `mail_transport`, when mails are to be live and lack a setting.
    """
    recipient = settings.get("OPERATORS_EMAIL")
    if not recipient or (settings.get("MAIL_TRANSPORT") or "file") == "file":
        return FileAlerts(folder)
    return MailAlerts(mail_transport(settings, folder), mail_sender(settings), recipient)
