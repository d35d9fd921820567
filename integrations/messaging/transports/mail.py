"""What every transport takes and gives back, and the one MIME message that files and SMTP share."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Literal, Protocol

__all__ = ["Delivery", "DeliveryState", "MailTransport", "OutgoingMail", "mail_message", "refusal"]

DeliveryState = Literal["dry_run", "accepted", "failed", "retry_later", "unknown", "suppressed"]


@dataclass(frozen=True)
class OutgoingMail:
    """A rendered mail on its way out. `key` is its outbox key, `sender` may be `Name <address>`, `date` is aware.

    `recipient` is one bare address; None is fine for files and refused by live transports.
    """

    key: str
    kind: str
    company: str
    locale: str
    sender: str
    recipient: str | None
    subject: str
    html: str
    text: str
    date: datetime


@dataclass(frozen=True)
class Delivery:
    """What became of one mail.

    `dry_run`: written, not sent. `accepted`: the provider has it. `failed`: refused for good. `retry_later`: surely not
    sent. `unknown`: perhaps sent, so never to be resent blindly. `suppressed`: not tried.
    """

    state: DeliveryState
    provider_id: str | None = None
    detail: str | None = None


class MailTransport(Protocol):
    """Delivers mails; `destination` is part of every outbox key, `from_date` the first day it may serve (None: any)."""

    @property
    def destination(self) -> str:
        """Where mails go: `file`, `sendgrid`, `smtp:<host>`."""

    @property
    def from_date(self) -> date | None:
        """The go-live date for the planner."""

    def deliver(self, mail: OutgoingMail) -> Delivery:
        """Try once; outcomes are returned, not raised."""


def refusal(mail: OutgoingMail) -> Delivery | None:
    """Why a live transport does not even try: no recipient, or something that is not exactly one address."""
    if mail.recipient is None:
        return Delivery("suppressed", detail=f"mail {mail.key} has no recipient")
    if not re.fullmatch(r"[^\s,;<>@]+@[^\s,;<>@]+", mail.recipient):
        return Delivery("failed", detail=f"mail {mail.key}: the recipient is not one bare address")
    return None


def mail_message(mail: OutgoingMail) -> EmailMessage:
    """The mail as multipart/alternative; Message-ID and boundary come of its key, so equal mails are equal bytes."""
    if mail.date.tzinfo is None:
        raise ValueError(f"mail {mail.key} has the naive date {mail.date}; give it a time zone")
    digest = hashlib.blake2b(mail.key.encode(), digest_size=16).hexdigest()
    domain = parseaddr(mail.sender)[1].rpartition("@")[2] or "localhost"
    message = EmailMessage()
    message["Subject"] = mail.subject
    message["From"] = mail.sender
    message["To"] = mail.recipient or "undisclosed-recipients:;"
    message["Date"] = format_datetime(mail.date)
    message["Message-ID"] = f"<{digest}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Outbox-Key"] = mail.key
    message["X-Outbox-Kind"] = mail.kind
    message["X-Outbox-Company"] = " ".join(mail.company.split())
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    # Set last: add_alternative moves every Content-* header down into the first part.
    message["Content-Language"] = mail.locale
    message.set_boundary(f"={digest}=")
    return message
