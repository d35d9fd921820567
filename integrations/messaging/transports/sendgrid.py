"""SendGrid's mail/send. It has no idempotency key, so every answer that leaves the outcome open is `unknown`."""

import logging
import socket
import ssl
from collections.abc import Mapping
from datetime import date
from email.utils import parseaddr
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from integrations.messaging.transports.mail import Delivery, OutgoingMail, refusal

__all__ = ["SendGridTransport", "mail_body", "outcome_of_status"]

HOST = "https://api.sendgrid.com"
TIMEOUT_SECONDS = 15
NOTHING_SENT = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)


class SendGridTransport:
    """One request per mail, no retries of its own; `host` may name the EU region or a fake."""

    def __init__(self, api_key: str, *, from_date: date | None = None, host: str = HOST) -> None:
        self._api_key = api_key
        self._from_date = from_date
        self._host = host

    @property
    def destination(self) -> str:
        """`sendgrid`."""
        return "sendgrid"

    @property
    def from_date(self) -> date | None:
        """Companies activated before it get no mail."""
        return self._from_date

    def deliver(self, mail: OutgoingMail, timeout: float = TIMEOUT_SECONDS) -> Delivery:
        """Send one mail to its one recipient."""
        if refused := refusal(mail):
            return refused
        try:
            body = mail_body(mail)
        except ValueError as error:
            return Delivery("failed", detail=str(error))
        return self._post(body, timeout)

    def _post(self, body: dict[str, Any], timeout: float) -> Delivery:
        from python_http_client.exceptions import HTTPError
        from sendgrid import SendGridAPIClient

        # At DEBUG this logger prints the API key and the whole mail.
        logging.getLogger("python_http_client").setLevel(logging.WARNING)
        client = SendGridAPIClient(self._api_key, host=self._host).client
        try:
            answer = client.mail.send.post(request_body=body, timeout=timeout)
        except HTTPError as error:
            return outcome_of_status(error.status_code, error.headers, error.body)
        except URLError as error:
            is_unsent = isinstance(error.reason, NOTHING_SENT)
            detail = f"no answer from {self._host}: {error.reason}"
            return Delivery("retry_later" if is_unsent else "unknown", detail=detail)
        except (OSError, HTTPException) as error:
            return Delivery("unknown", detail=f"no answer from {self._host}: {error or type(error).__name__}")
        return outcome_of_status(answer.status_code, answer.headers, answer.body)


def outcome_of_status(status: int, headers: Mapping[str, str], body: bytes) -> Delivery:
    """What an HTTP answer means: 202 accepted, 200 sandbox, 429 not sent, other 4xx refused, all else unknown."""
    provider_id = headers.get("X-Message-Id")
    if status == 202:
        return Delivery("accepted", provider_id)
    if status == 200:
        return Delivery("dry_run", provider_id, "sandbox mode: checked, not sent")
    detail = f"HTTP {status}: {body.decode(errors='replace')[:500]}"
    if status == 429:
        return Delivery("retry_later", detail=f"{detail} (limit resets at {headers.get('X-RateLimit-Reset')})")
    if 400 <= status < 500 and status != 408:
        return Delivery("failed", detail=detail)
    return Delivery("unknown", detail=detail)


def mail_body(mail: OutgoingMail) -> dict[str, Any]:
    """The JSON of `POST /v3/mail/send`: one recipient, tracking off, the outbox key as custom argument.

    SendGrid's events carry the key back. Raises ValueError without a recipient or with a non-ASCII sender.
    """
    name, address = parseaddr(mail.sender)
    if not mail.recipient:
        raise ValueError(f"mail {mail.key} has no recipient; SendGrid needs one")
    if not address or not mail.sender.isascii():
        raise ValueError(f"sender {mail.sender!r} will not do for SendGrid; use ASCII, `Name <address>` or an address")
    return {
        "personalizations": [{"to": [{"email": mail.recipient}], "custom_args": {"outbox_key": mail.key}}],
        "from": {"email": address, "name": name} if name else {"email": address},
        "subject": mail.subject,
        "content": [{"type": "text/plain", "value": mail.text}, {"type": "text/html", "value": mail.html}],
        "categories": [mail.kind],
        "headers": {"Auto-Submitted": "auto-generated"},
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
    }
