"""Which billing transport the settings ask for. Going live takes its name, its key, a from-date and ALLOW_LIVE=1."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from integrations.stripe.transports.file import FileBilling
from integrations.stripe.transports.stripe import StripeBilling
from integrations.stripe.transports.submission import BillingTransport

__all__ = ["billing_transport"]


def billing_transport(settings: Mapping[str, str], folder: str | Path) -> BillingTransport:
    """The transport named by BILLING_TRANSPORT (file, stripe; default file, which writes into `folder`).

    Stripe needs STRIPE_API_KEY, BILLING_FROM_DATE and ALLOW_LIVE=1, and for a live key USAGE_PRICING_ENV=prod;
    ValueError lists all that is missing. STRIPE_ACCOUNT (acct_...) keeps the destination over a change of key.
    """
    name = settings.get("BILLING_TRANSPORT") or "file"
    if name == "file":
        return FileBilling(folder)
    if name != "stripe":
        raise ValueError(f"BILLING_TRANSPORT={name} is unknown; use file or stripe")
    _refuse_unless_complete(settings)
    try:
        from_date = date.fromisoformat(settings["BILLING_FROM_DATE"])
    except ValueError:
        given = settings["BILLING_FROM_DATE"]
        raise ValueError(f"BILLING_FROM_DATE={given} is no ISO date; write 2026-11-01") from None
    return StripeBilling(settings["STRIPE_API_KEY"], account=settings.get("STRIPE_ACCOUNT"), from_date=from_date)


def _refuse_unless_complete(settings: Mapping[str, str]) -> None:
    key = settings.get("STRIPE_API_KEY") or ""
    missing = [name for name in ("STRIPE_API_KEY", "BILLING_FROM_DATE") if not settings.get(name)]
    missing += ["ALLOW_LIVE=1"] if settings.get("ALLOW_LIVE") != "1" else []
    if "_live_" in key and settings.get("USAGE_PRICING_ENV") != "prod":
        missing.append("USAGE_PRICING_ENV=prod (the key is a live one)")
    if missing:
        raise ValueError(f"BILLING_TRANSPORT=stripe lacks {', '.join(missing)}; set them, or BILLING_TRANSPORT=file")
