"""One meter event: its key, its instant and the exact request body, checked here because the SDK checks nothing."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["PlannedMeterEvent", "event_timestamp", "meter_event_body", "meter_event_key"]


@dataclass(frozen=True)
class PlannedMeterEvent:
    """One meter event: `quantity` is a delta in the meter's smallest unit, maybe negative; `timestamp` Unix seconds."""

    key: str
    company_id: int
    meter: str
    usage_date: date
    seq: int
    quantity: int
    event_name: str
    stripe_customer_id: str
    timestamp: int


def meter_event_key(meter: str, company_key: str, usage_date: date, seq: int) -> str:
    """`u1:<meter>:<hash of the company, 12 hex>:<YYYY-MM-DD>:<seq>`: Stripe's identifier, at most 100 characters."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", meter):
        raise ValueError(f"meter {meter!r} will not do in a key; use letters, digits, '_', '-' and '.'")
    company = hashlib.blake2b(company_key.encode(), digest_size=6).hexdigest()
    key = f"u1:{meter}:{company}:{usage_date.isoformat()}:{seq}"
    if len(key) > 100:
        raise ValueError(f"meter event key {key!r} is longer than Stripe's 100 characters; shorten the meter's name")
    return key


def event_timestamp(usage_date: date, time_zone: str) -> int:
    """Unix seconds of the later of local and UTC midnight of the date: an instant that lies in both days."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{time_zone!r} is no IANA time zone; write one such as Europe/Berlin") from None
    midnights = [datetime.combine(usage_date, time(), tzinfo=zone_) for zone_ in (zone, UTC)]
    return max(int(midnight.timestamp()) for midnight in midnights)


def meter_event_body(event: PlannedMeterEvent) -> dict[str, Any]:
    """The parameters of `POST /v1/billing/meter_events`, with the value as a string of at most 15 digits.

    Raises ValueError naming everything that Stripe would refuse.
    """
    value = str(event.quantity)
    checks = {
        "event_name": bool(re.fullmatch(r"\S{1,100}", event.event_name)),
        "identifier": bool(re.fullmatch(r"\S{1,100}", event.key)),
        "timestamp": type(event.timestamp) is int and event.timestamp > 0,
        "stripe_customer_id": bool(re.fullmatch(r"[!-~]{1,255}", event.stripe_customer_id or "")),
        "value": bool(re.fullmatch(r"-?[0-9]{1,15}", value)),
    }
    wrong = [name for name, is_fine in checks.items() if not is_fine]
    if wrong:
        raise ValueError(f"meter event {event.key!r}: Stripe would refuse its {', '.join(wrong)}; correct {event}")
    return {
        "event_name": event.event_name,
        "identifier": event.key,
        "timestamp": event.timestamp,
        "payload": {"stripe_customer_id": event.stripe_customer_id, "value": value},
    }
