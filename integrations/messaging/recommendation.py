"""The day-14 mail: switch to another plan, or stay. Turns its payload into the strings that the templates lay out."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from integrations.messaging.findings import accuracy
from integrations.messaging.formats import Formats, as_amount, as_currency, as_date, as_decimal
from integrations.messaging.payloads import Payload, Problems
from integrations.messaging.texts import Texts

__all__ = ["recommendation_view"]

KIND = "recommendation"


def recommendation_view(payload: Payload, write: Formats, texts: Texts) -> dict[str, Any]:
    """Strings for the templates; amounts are decimal strings per month in `currency`, `confidence` is 0..1.

    `action` is `switch` or `stay`; savings are named only when a switch saves something. Raises PayloadError naming
    all problems.
    """
    given = _read(payload)
    company, action, plan = given["company_name"], given["action"], given["recommended_plan.name"]
    is_switch = action == "switch"

    def money(amount: Decimal) -> str:
        return write.money(amount, given["currency"])

    saves = is_switch and given["projected_savings"] > 0
    savings = {"savings": money(given["projected_savings"])} if saves else {}
    variant = "_without_savings" if is_switch and not saves else ""
    titles = {name: _title(texts, action, name) for name in ("cost_title", "alternatives_title")}
    return {
        "company": company,
        "title": texts(f"{KIND}.{action}.title"),
        "preheader": texts(f"{KIND}.{action}.preheader{variant}", plan=plan, **savings),
        "intro": texts(f"{KIND}.{action}.intro", company=company),
        "verdict": texts(f"{KIND}.{action}.verdict{variant}", plan=plan, **savings),
        **titles,
        "costs": _costs(given, is_switch, money, texts),
        "savings": savings.get("savings"),
        "benefits_title": texts(f"{KIND}.benefits_title", plan=plan),
        "benefits": given["recommended_plan.benefits"],
        "alternatives": [(name, money(cost)) for name, cost in given["alternatives"]],
        "confidence": texts(f"{KIND}.{action}.confidence", confidence=write.percent(given["confidence"])),
        "accuracy": accuracy(given["forecast_error"], write, texts),
        "expires": texts(f"{KIND}.expires", date=write.day(given["expires_at"])),
        "action_label": texts(f"{KIND}.{action}.action"),
        "action_url": given["action_url"],
    }


def _read(payload: Payload) -> dict[str, Any]:
    problems = Problems(KIND)
    readers: dict[str, Callable[[Any], Any]] = {
        "company_name": str,
        "action": _action,
        "current_plan.name": str,
        "recommended_plan.name": str,
        "recommended_plan.benefits": _texts,
        "currency": as_currency,
        "expected_cost": as_amount,
        "current_cost": as_amount,
        "projected_savings": as_amount,
        "confidence": _probability,
        "action_url": _web_address,
        "expires_at": as_date,
    }
    given = {path: problems.read(payload, path, reader) for path, reader in readers.items()}
    given["forecast_error"] = problems.read_if_any(payload, "forecast_error", as_decimal)
    given["alternatives"] = [
        (problems.read(row, "name", str, at), problems.read(row, "expected_cost", as_amount, at))
        for at, row in problems.read_rows(payload, "alternatives")
    ]
    problems.raise_if_any()
    return given


def _costs(
    given: dict[str, Any], is_switch: bool, money: Callable[[Decimal], str], texts: Texts
) -> list[tuple[str, str]]:
    """Rows of plan and monthly cost: today's and the recommended one, or just today's when it stays."""
    current = texts(f"{KIND}.current_plan", plan=given["current_plan.name"])
    if not is_switch:
        return [(current, money(given["expected_cost"]))]
    recommended = texts(f"{KIND}.recommended_plan", plan=given["recommended_plan.name"])
    return [(current, money(given["current_cost"])), (recommended, money(given["expected_cost"]))]


def _title(texts: Texts, action: str, name: str) -> str:
    own = f"{KIND}.{action}.{name}"
    return texts(own if own in texts else f"{KIND}.{name}")


def _action(value: Any) -> str:
    if value not in ("switch", "stay"):
        raise ValueError(f"{value!r} is unknown; use switch or stay")
    return str(value)


def _probability(value: Any) -> Decimal:
    number = as_decimal(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{value!r} does not lie in 0..1")
    return number


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise ValueError("is no list of texts")
    return list(value)


def _web_address(value: Any) -> str:
    parts = urlsplit(str(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} is no http(s) address")
    return str(value)
