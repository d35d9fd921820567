"""Findings about how a company is used, from its patterns, its characteristics and its projected month."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "AFTER_HOURS_NOTICE",
    "LOST_BOOKINGS_NOTICE",
    "RAPID_GROWTH",
    "SEVERITIES",
    "Facts",
    "Finding",
    "usage_findings",
]

AFTER_HOURS_NOTICE = 0.20
LOST_BOOKINGS_NOTICE = 0.20
RAPID_GROWTH = 0.20
"""Growth per 30 days from which it is rapid (exclusive)."""
SEVERITIES = ("warning", "notice", "info")

Facts = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is worth telling, as a code and its numbers.

    `size` ranks findings of one severity: the share of the usage, of the plan or of the expected quantity that is
    at stake, usually 0..1.
    """

    code: str
    severity: str
    size: float
    numbers: Facts


def usage_findings(row: Facts, hourly: Facts, weekly: Facts, month: Facts) -> list[Finding]:
    """What a row of the characteristics, two patterns and the projected month of a company have to tell."""
    found = (
        _rapid_growth(row),
        _lost_bookings(hourly),
        _after_hours(hourly),
        _peak_hours(hourly),
        _peak_day(weekly),
        _business_type(row),
        Finding("projected_month", "info", 0, month) if month["meters"] else None,
    )
    return [finding for finding in found if finding]


def _rapid_growth(row: Facts) -> Finding | None:
    if row["growth_trajectory"] != "up":
        return None
    growth = float(row["growth_per_week"]) * 30 / 7
    if not growth > RAPID_GROWTH:
        return None
    return Finding("rapid_growth", "warning", growth, {"growth_per_month": round(growth, 4), "threshold": RAPID_GROWTH})


def _lost_bookings(hourly: Facts) -> Finding | None:
    failed, successful = hourly["failed_bookings"], hourly["successful_bookings"]
    if not failed:
        return None
    share = failed / (failed + successful)
    numbers = {"count": failed, "share": round(share, 4), "successful": successful}
    severity = "notice" if share > LOST_BOOKINGS_NOTICE else "info"
    return Finding("lost_bookings", severity, share, numbers | {"most_failed_hour": hourly["most_failed_hour"]})


def _after_hours(hourly: Facts) -> Finding | None:
    ratio = hourly["after_hours_ratio"]
    if not ratio:
        return None
    severity = "notice" if ratio > AFTER_HOURS_NOTICE else "info"
    return Finding("after_hours_share", severity, ratio, {"ratio": ratio, "threshold": AFTER_HOURS_NOTICE})


def _peak_hours(hourly: Facts) -> Finding | None:
    if not hourly["peak_hours"]:
        return None
    return Finding(
        "peak_hours", "info", hourly["peak_share"], {"hours": hourly["peak_hours"], "share": hourly["peak_share"]}
    )


def _peak_day(weekly: Facts) -> Finding | None:
    weekday = weekly["peak_weekday"]
    if weekday is None:
        return None
    share = round(weekly["distribution"][weekday], 4)
    return Finding("peak_usage_day", "info", share, {"weekday": weekday, "share": share})


def _business_type(row: Facts) -> Finding | None:
    if not row["calls_per_14_days"]:
        return None
    numbers = {
        "business_type": str(row["business_type"]),
        "calls_per_14_days": round(float(row["calls_per_14_days"]), 2),
        "average_call_seconds": round(float(row["average_call_seconds"]), 2),
        "after_hours_ratio": round(float(row["after_hours_ratio"]), 4),
    }
    return Finding("business_type", "info", 0, numbers)
