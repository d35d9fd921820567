"""Findings of the analysis as sentences: a code and its numbers become a title and a text in the reader's language."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.messaging.formats import Formats, as_amount, as_currency, as_date, as_decimal
from integrations.messaging.payloads import Payload, Problems
from integrations.messaging.texts import Texts

__all__ = ["ANOMALY_KINDS", "BUSINESS_TYPES", "FINDING_CODES", "Finding", "accuracy", "describe_finding", "quantity"]

BUSINESS_TYPES = (
    "high_volume_transactional",
    "low_volume_consultative",
    "extended_hours_service",
    "standard_appointment_based",
)
ANOMALY_KINDS = ("outage", "drop", "burst")
ALARMING = {"warning", "critical", "high"}


@dataclass(frozen=True)
class Finding:
    """One finding as the reader sees it; `tone` (`notice`, `warning`) only colours it."""

    title: str
    text: str
    tone: str


def describe_finding(finding: Payload, at: str, write: Formats, texts: Texts, problems: Problems) -> Finding | None:
    """`{code, severity, numbers}` as a Finding; an unknown code or a missing number is noted in `problems`.

    `at` is the finding's place in the payload, for messages (`findings[0].`).
    """
    code = problems.read(finding, "code", at=at)
    severity = problems.read(finding, "severity", at=at)
    if code is None or severity is None:
        return None
    if code not in _NUMBERS:
        known = ", ".join(FINDING_CODES)
        problems.note(f"{at}code {code!r} is unknown; use one of {known}, or give it a text and its numbers")
        return None
    readers = _NUMBERS[code]
    numbers = {name: problems.read(finding, f"numbers.{name}", read, at) for name, read in readers.items()}
    if None in numbers.values():
        return None
    optional = _OPTIONAL_NUMBERS.get(code, {})
    numbers |= {name: problems.read_if_any(finding, f"numbers.{name}", read, at) for name, read in optional.items()}
    text = _SENTENCES[code](code, numbers, write, texts)
    return Finding(texts(f"findings.{code}.title"), text, "warning" if severity in ALARMING else "notice")


def quantity(unit: str, amount: Decimal, write: Formats, texts: Texts) -> tuple[str, str]:
    """A number and its noun, `("1.234", "Termine")`; `unit` is a name under `units` in the catalogue."""
    return write.number(amount), texts(f"units.{unit}.{write.plural(amount)}")


def accuracy(forecast_error: Decimal | None, write: Formats, texts: Texts) -> str:
    """How far forecasts of the kind were off (error / usage, by day), or that nobody knows yet."""
    if forecast_error is None:
        return texts("accuracy.unknown")
    return texts("accuracy.known", error=write.percent(forecast_error))


def _ratios(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    return texts(f"findings.{code}.text", **{name: write.percent(ratio) for name, ratio in numbers.items()})


def _peak_hours(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    return texts(f"findings.{code}.text", hours=write.hour_ranges(numbers["hours"]))


def _peak_usage_day(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    weekday = write.weekday(numbers["weekday"])
    return texts(f"findings.{code}.text", weekday=weekday, share=write.percent(numbers["share"]))


def _business_type(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    return texts(f"findings.{code}.text.{numbers['business_type']}")


def _projected_month(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    counted = {unit: " ".join(quantity(unit, numbers[unit], write, texts)) for unit in ("call_minutes", "appointments")}
    return f"{texts(f'findings.{code}.text', **counted)} {accuracy(numbers['forecast_error'], write, texts)}"


def _lost_bookings(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    count = numbers["count"]
    values = {"count": write.number(count), "share": write.percent(numbers["share"])}
    return texts(f"findings.{code}.text.{write.plural(count)}", **values)


def _share_of_meter(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    shares = {name: write.percent(value) for name, value in numbers.items() if name != "meter"}
    return texts(f"findings.{code}.text", meter=_meter(numbers["meter"], texts), **shares)


def _usage_anomaly(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    meter, day = _meter(numbers["meter"], texts), write.day(numbers["usage_date"])
    return texts(f"findings.{code}.text.{numbers['kind']}", meter=meter, day=day)


def _savings(code: str, numbers: dict[str, Any], write: Formats, texts: Texts) -> str:
    amount = write.money(numbers["amount"], numbers["currency"])
    return texts(f"findings.{code}.text", amount=amount, plan=numbers["plan_name"])


def _meter(meter: str, texts: Texts) -> str:
    """The name of a meter; those that only an installation knows share one."""
    name = f"meters.{meter}"
    return texts(name if name in texts else "meters.other")


def _hours(value: Any) -> list[int]:
    if not isinstance(value, list | tuple) or not value or any(hour not in range(24) for hour in value):
        raise ValueError(f"{value!r} is no list of hours 0..23")
    return [int(hour) for hour in value]


def _weekday(value: Any) -> int:
    if value not in range(7):
        raise ValueError(f"{value!r} is no weekday 0..6 (0 is Monday)")
    return int(value)


def _one_business_type(value: Any) -> str:
    if value not in BUSINESS_TYPES:
        raise ValueError(f"{value!r} is unknown; use one of {', '.join(BUSINESS_TYPES)}")
    return str(value)


def _one_kind(value: Any) -> str:
    if value not in ANOMALY_KINDS:
        raise ValueError(f"{value!r} is unknown; use one of {', '.join(ANOMALY_KINDS)}")
    return str(value)


_NUMBERS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "peak_hours": {"hours": _hours},
    "peak_usage_day": {"weekday": _weekday, "share": as_decimal},
    "after_hours_share": {"ratio": as_decimal},
    "rapid_growth": {"growth_per_month": as_decimal},
    "business_type": {"business_type": _one_business_type},
    "projected_month": {"call_minutes": as_decimal, "appointments": as_decimal},
    "lost_bookings": {"count": as_decimal, "share": as_decimal},
    "low_utilisation": {"meter": str, "utilisation": as_decimal},
    "overage_risk": {"meter": str, "probability": as_decimal},
    "usage_anomaly": {"meter": str, "kind": _one_kind, "usage_date": as_date},
    "savings": {"amount": as_amount, "currency": as_currency, "plan_name": str},
}
_OPTIONAL_NUMBERS: dict[str, dict[str, Callable[[Any], Any]]] = {"projected_month": {"forecast_error": as_decimal}}
_SENTENCES: dict[str, Callable[[str, dict[str, Any], Formats, Texts], str]] = {
    "peak_hours": _peak_hours,
    "peak_usage_day": _peak_usage_day,
    "after_hours_share": _ratios,
    "rapid_growth": _ratios,
    "business_type": _business_type,
    "projected_month": _projected_month,
    "lost_bookings": _lost_bookings,
    "low_utilisation": _share_of_meter,
    "overage_risk": _share_of_meter,
    "usage_anomaly": _usage_anomaly,
    "savings": _savings,
}
FINDING_CODES = tuple(_NUMBERS)
