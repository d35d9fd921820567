"""Which transport the settings ask for. Going live takes the transport, its key, a from-date and ALLOW_LIVE=1."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from integrations.messaging.transports.file import FileTransport
from integrations.messaging.transports.mail import MailTransport
from integrations.messaging.transports.sendgrid import SendGridTransport
from integrations.messaging.transports.smtp import SmtpTransport

__all__ = ["DEFAULT_SENDER", "mail_sender", "mail_transport"]

DEFAULT_SENDER = "Usage Pricing <noreply@usage-pricing.invalid>"
KEY_OF_LIVE = {"smtp": "SMTP_URL", "sendgrid": "SENDGRID_API_KEY"}


def mail_transport(settings: Mapping[str, str], folder: str | Path) -> MailTransport:
    """The transport named by MAIL_TRANSPORT (file, smtp, sendgrid; default file, which writes into `folder`).

    A live one needs its key (SENDGRID_API_KEY or SMTP_URL), MAIL_FROM, MAIL_FROM_DATE and ALLOW_LIVE=1; ValueError
    lists all that is missing.
    """
    name = settings.get("MAIL_TRANSPORT") or "file"
    if name == "file":
        return FileTransport(folder)
    if name not in KEY_OF_LIVE:
        raise ValueError(f"MAIL_TRANSPORT={name} is unknown; use file, {' or '.join(KEY_OF_LIVE)}")
    from_date = _live_from_date(settings, name)
    if name == "smtp":
        return SmtpTransport(settings["SMTP_URL"], from_date=from_date)
    return SendGridTransport(settings["SENDGRID_API_KEY"], from_date=from_date)


def mail_sender(settings: Mapping[str, str]) -> str:
    """MAIL_FROM, or for dry runs an address that can't exist."""
    return settings.get("MAIL_FROM") or DEFAULT_SENDER


def _live_from_date(settings: Mapping[str, str], name: str) -> date:
    missing = [key for key in (KEY_OF_LIVE[name], "MAIL_FROM", "MAIL_FROM_DATE") if not settings.get(key)]
    missing += ["ALLOW_LIVE=1"] if settings.get("ALLOW_LIVE") != "1" else []
    if missing:
        raise ValueError(f"MAIL_TRANSPORT={name} lacks {', '.join(missing)}; set them, or use MAIL_TRANSPORT=file")
    if not settings["MAIL_FROM"].isascii():
        raise ValueError(f"MAIL_FROM={settings['MAIL_FROM']} is not ASCII, as SendGrid demands; drop the umlauts")
    try:
        return date.fromisoformat(settings["MAIL_FROM_DATE"])
    except ValueError:
        raise ValueError(f"MAIL_FROM_DATE={settings['MAIL_FROM_DATE']} is no ISO date; write 2026-11-01") from None
