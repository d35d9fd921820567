"""Any SMTP server: `smtps://` speaks TLS from the start, `smtp://` turns to TLS when the server offers it."""

import contextlib
import smtplib
import ssl
from datetime import date
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from integrations.messaging.transports.mail import Delivery, OutgoingMail, mail_message, refusal

__all__ = ["SmtpTransport"]

TIMEOUT_SECONDS = 15


class SmtpTransport:
    """One connection per mail. A password is sent over TLS only."""

    def __init__(self, url: str, *, from_date: date | None = None) -> None:
        """`url`: `smtp[s]://[user:password@]host[:port]`, user and password percent-encoded."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("SMTP_URL is not of the form smtp[s]://[user:password@]host[:port]")
        self._url: SplitResult = parts
        self._host: str = parts.hostname
        self._from_date = from_date

    @property
    def destination(self) -> str:
        """`smtp:<host>`."""
        return f"smtp:{self._host}"

    @property
    def from_date(self) -> date | None:
        """Companies activated before it get no mail."""
        return self._from_date

    def deliver(self, mail: OutgoingMail, timeout: float = TIMEOUT_SECONDS) -> Delivery:
        """Send one mail; a connection that breaks before the mail is offered is safe to retry, later ones are not."""
        if refused := refusal(mail):
            return refused
        message = mail_message(mail)
        with contextlib.ExitStack() as stack:
            try:
                client = self._connect(timeout, stack)
            except OSError as error:
                return _outcome(error, otherwise=Delivery("retry_later", detail=f"{self._host}: {error}"))
            return _send(client, message)

    def _connect(self, timeout: float, stack: contextlib.ExitStack) -> smtplib.SMTP:
        context = ssl.create_default_context()
        client: smtplib.SMTP
        if self._url.scheme == "smtps":
            client = smtplib.SMTP_SSL(self._host, self._url.port or 465, timeout=timeout, context=context)
        else:
            client = smtplib.SMTP(self._host, self._url.port or 587, timeout=timeout)
        stack.callback(client.close)
        client.ehlo_or_helo_if_needed()
        is_encrypted = self._url.scheme == "smtps"
        if not is_encrypted and client.has_extn("starttls"):
            client.starttls(context=context)
            is_encrypted = True
        if self._url.username:
            if not is_encrypted:
                raise smtplib.SMTPNotSupportedError("offers no TLS, so the password stays here; use smtps://")
            client.login(unquote(self._url.username), unquote(self._url.password or ""))
        return client


def _send(client: smtplib.SMTP, message: EmailMessage) -> Delivery:
    try:
        client.send_message(message)
    except OSError as error:
        return _outcome(error, otherwise=Delivery("unknown", detail=f"lost while sending: {error}"))
    with contextlib.suppress(OSError):
        client.quit()
    return Delivery("accepted", str(message["Message-ID"]))


def _outcome(error: OSError, otherwise: Delivery) -> Delivery:
    """An answer by the server is definite: 5xx refuses, 4xx asks for another try. No answer: `otherwise`."""
    reply: bytes | str
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Delivery("failed", detail=str(error))
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, reply = error.smtp_code, error.smtp_error
    else:
        return otherwise
    if not 400 <= code < 600:
        return otherwise
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return Delivery("failed" if code >= 500 else "retry_later", detail=f"SMTP {code}: {text}")
