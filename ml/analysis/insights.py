"""What is worth telling a company, as codes and numbers; the words are added where it is rendered."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ml.analysis.projection import Projection
from ml.analysis.windows import require_columns

__all__ = ["AFTER_HOURS_NOTICE", "LOST_BOOKINGS_NOTICE", "RAPID_GROWTH", "SEVERITIES", "find_insights"]

AFTER_HOURS_NOTICE = 0.20
LOST_BOOKINGS_NOTICE = 0.20
RAPID_GROWTH = 0.20
"""Growth per 30 days from which it is rapid (exclusive)."""
SEVERITIES = ("warning", "notice", "info")

Facts = Mapping[str, Any]
Finding = dict[str, Any]


def find_insights(patterns: pd.DataFrame, characteristics: pd.DataFrame, projection: Projection) -> pd.DataFrame:
    """One row per company of `characteristics`: company_id, findings.

    `findings` is a list of {code, severity, numbers}, warnings first, then notices, then the rest, each in the
    order of the rules. Codes: rapid_growth (above 20 % per 30 days), lost_bookings, after_hours_share,
    peak_hours, peak_usage_day, business_type, projected_month. What cannot be known is left out.
    Raises ValueError for missing columns, or a company without patterns or projection.
    """
    require_columns(patterns, "patterns", ("company_id", "pattern_type", "pattern_data"))
    require_columns(characteristics, "characteristics", ("company_id", "growth_per_week", "business_type"))
    data = {
        (company, kind): found
        for company, kind, found in zip(
            patterns["company_id"].tolist(), patterns["pattern_type"], patterns["pattern_data"], strict=True
        )
    }
    months = _projected_months(projection)
    companies = characteristics["company_id"].tolist()
    known = {company for company, _ in data} & set(months)
    if missing := [company for company in companies if company not in known]:
        raise ValueError(f"No patterns or projection for the companies {missing[:10]}; analyse the same companies.")
    findings = [
        _findings(row, data[company, "hourly"], data[company, "weekly"], months[company])
        for company, row in zip(companies, characteristics.to_dict("records"), strict=True)
    ]
    return pd.DataFrame(
        {"company_id": np.array(companies, dtype=np.int64), "findings": pd.Series(findings, dtype=object)}
    )


def _findings(row: Mapping[Any, Any], hourly: Facts, weekly: Facts, month: Facts) -> list[Finding]:
    rules: tuple[Callable[[], Finding | None], ...] = (
        lambda: _rapid_growth(row),
        lambda: _lost_bookings(hourly),
        lambda: _after_hours(hourly),
        lambda: _peak_hours(hourly),
        lambda: _peak_day(weekly),
        lambda: _business_type(row),
        lambda: _finding("projected_month", "info", month) if month["meters"] else None,
    )
    found = [finding for rule in rules if (finding := rule())]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding["severity"]))


def _finding(code: str, severity: str, numbers: Facts) -> Finding:
    return {"code": code, "severity": severity, "numbers": dict(numbers)}


def _rapid_growth(row: Mapping[Any, Any]) -> Finding | None:
    if row["growth_trajectory"] != "up":
        return None
    growth = float(row["growth_per_week"]) * 30 / 7
    if not growth > RAPID_GROWTH:
        return None
    return _finding("rapid_growth", "warning", {"growth_per_month": round(growth, 4), "threshold": RAPID_GROWTH})


def _lost_bookings(hourly: Facts) -> Finding | None:
    failed, successful = hourly["failed_bookings"], hourly["successful_bookings"]
    if not failed:
        return None
    share = failed / (failed + successful)
    numbers = {"count": failed, "share": round(share, 4), "successful": successful}
    severity = "notice" if share > LOST_BOOKINGS_NOTICE else "info"
    return _finding("lost_bookings", severity, numbers | {"most_failed_hour": hourly["most_failed_hour"]})


def _after_hours(hourly: Facts) -> Finding | None:
    ratio = hourly["after_hours_ratio"]
    if not ratio:
        return None
    severity = "notice" if ratio > AFTER_HOURS_NOTICE else "info"
    return _finding("after_hours_share", severity, {"ratio": ratio, "threshold": AFTER_HOURS_NOTICE})


def _peak_hours(hourly: Facts) -> Finding | None:
    if not hourly["peak_hours"]:
        return None
    return _finding("peak_hours", "info", {"hours": hourly["peak_hours"], "share": hourly["peak_share"]})


def _peak_day(weekly: Facts) -> Finding | None:
    weekday = weekly["peak_weekday"]
    if weekday is None:
        return None
    share = round(weekly["distribution"][weekday], 4)
    return _finding("peak_usage_day", "info", {"weekday": weekday, "share": share})


def _business_type(row: Mapping[Any, Any]) -> Finding | None:
    if not row["calls_per_14_days"]:
        return None
    numbers = {
        "business_type": str(row["business_type"]),
        "calls_per_14_days": round(float(row["calls_per_14_days"]), 2),
        "average_call_seconds": round(float(row["average_call_seconds"]), 2),
        "after_hours_ratio": round(float(row["after_hours_ratio"]), 4),
    }
    return _finding("business_type", "info", numbers)


def _projected_months(projection: Projection) -> dict[int, dict[str, Any]]:
    low, high = np.quantile(projection.monthly, (0.1, 0.9), axis=2).round(2)
    expected = projection.expected().round(2)
    figures = np.stack([expected, low, high], axis=2).tolist()
    names = ("expected", "p10", "p90")
    return {
        company: {
            "starts_on": start,
            "days": projection.horizon_days,
            "meters": {
                meter: dict(zip(names, values, strict=True))
                for meter, values in zip(projection.meters, rows, strict=True)
            },
        }
        for company, start, rows in zip(
            projection.company_ids.tolist(), projection.start.astype(str).tolist(), figures, strict=True
        )
    }
