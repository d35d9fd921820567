"""Lines of the feeds, with everything that a test does not care about filled in."""

import json
from typing import Any

PLANS = """
plans:
  - plan_key: per_minute
    version: 1
    name: Per minute
    currency: EUR
    monthly_base_fee: "49.00"
    option: standard
    valid_from: 1990-01-01
    charges:
      - {model: per_unit, meter: call_seconds, per: 60, included: "500", unit_price: "0.15"}
      - {model: per_unit, meter: appointments, unit_price: "2.00"}
  - plan_key: combined
    version: 1
    name: Combined
    currency: EUR
    monthly_base_fee: "0"
    option: standard
    valid_from: 1990-01-01
    charges:
      - {model: per_unit, meter: call_seconds, per: 60, unit_price: "0.10"}
      - {model: per_unit, meter: appointments, unit_price: "2.00"}
"""


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def company(key: str = "acme", **fields: Any) -> dict[str, Any]:
    return {
        "company": key,
        "name": key.title(),
        "industry": "medical",
        "country": "DE",
        "time_zone": "Europe/Berlin",
        "business_hours": {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
        "locale": "de",
        "currency": "EUR",
        "activated_at": "2026-10-01T00:00:00+02:00",
        **fields,
    }


def subscription(key: str = "acme", **fields: Any) -> dict[str, Any]:
    return {
        "company": key,
        "plan": "per_minute",
        "valid_from": "2026-10-01T00:00:00+02:00",
        "stripe_customer_id": f"cus_{key}",
        **fields,
    }


def event(id: str, time: str, key: str = "acme", type: str = "call", **data: Any) -> dict[str, Any]:
    usage = {"duration_seconds": 120, "outcome": "success", "customer": "c-1"} if type == "call" else {}
    return {
        "specversion": "1.0",
        "id": id,
        "source": "/phone",
        "type": type,
        "subject": key,
        "time": time,
        "data": {**usage, **data},
    }
