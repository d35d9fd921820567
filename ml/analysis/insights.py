"""What is worth telling a company, as codes and numbers; the words are added where it is rendered."""

from typing import Any

import numpy as np
import pandas as pd

from ml.analysis.plan_findings import plan_findings
from ml.analysis.projection import Projection
from ml.analysis.usage_findings import SEVERITIES, Finding, usage_findings
from ml.analysis.windows import require_columns

__all__ = ["find_insights"]

NOT_JUDGED = {"wape": None, "coverage_80": None, "accuracy_reason": "not_judged_yet"}


def find_insights(
    patterns: pd.DataFrame,
    characteristics: pd.DataFrame,
    projection: Projection,
    *,
    accuracy: pd.DataFrame | None = None,
    limits: pd.DataFrame | None = None,
    anomalies: pd.DataFrame | None = None,
    savings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per company of `characteristics`: company_id, findings.

    `findings` is a list of {code, severity, numbers}: warnings first, then notices, then the rest, each by its
    size and then in the order of the rules. Codes: rapid_growth (above 20 % per 30 days), lost_bookings,
    after_hours_share, peak_hours, peak_usage_day, business_type, projected_month, and what
    `plan_findings.plan_findings` tells of limits, anomalies and savings. What cannot be known is left out.
    `accuracy` (company_id, meter, wape, coverage_80, accuracy_reason): how far forecasts like those of the projected
    month were off in a backtest; it stands beside each, None with the reason `not_judged_yet` without one.
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
    months = _projected_months(projection, accuracy)
    companies = characteristics["company_id"].tolist()
    known = {company for company, _ in data} & set(months)
    if missing := [company for company in companies if company not in known]:
        raise ValueError(f"No patterns or projection for the companies {missing[:10]}; analyse the same companies.")
    about_plans = plan_findings(limits, anomalies, savings)
    findings = [
        _ranked(
            about_plans.get(company, [])
            + usage_findings(row, data[company, "hourly"], data[company, "weekly"], months[company])
        )
        for company, row in zip(companies, characteristics.to_dict("records"), strict=True)
    ]
    return pd.DataFrame(
        {"company_id": np.array(companies, dtype=np.int64), "findings": pd.Series(findings, dtype=object)}
    )


def _judged(accuracy: pd.DataFrame | None) -> dict[tuple[int, str], dict[str, Any]]:
    if accuracy is None:
        return {}
    require_columns(accuracy, "accuracy", ("company_id", "meter", *NOT_JUDGED))
    rows = accuracy[accuracy["wape"].notna()].to_dict("records")
    return {
        (row["company_id"], row["meter"]): {
            "wape": round(row["wape"], 4),
            "coverage_80": None if pd.isna(row["coverage_80"]) else round(row["coverage_80"], 4),
            "accuracy_reason": None,
        }
        for row in rows
    }


def _ranked(findings: list[Finding]) -> list[dict[str, Any]]:
    ordered = sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), -finding.size))
    return [
        {"code": finding.code, "severity": finding.severity, "numbers": dict(finding.numbers)} for finding in ordered
    ]


def _projected_months(projection: Projection, accuracy: pd.DataFrame | None) -> dict[int, dict[str, Any]]:
    judged = _judged(accuracy)
    low, high = np.quantile(projection.monthly, (0.1, 0.9), axis=2).round(2)
    expected = projection.expected().round(2)
    figures = np.stack([expected, low, high], axis=2).tolist()
    names = ("expected", "p10", "p90")
    return {
        company: {
            "starts_on": start,
            "days": projection.horizon_days,
            "meters": {
                meter: dict(zip(names, values, strict=True)) | judged.get((company, meter), NOT_JUDGED)
                for meter, values in zip(projection.meters, rows, strict=True)
            },
        }
        for company, start, rows in zip(
            projection.company_ids.tolist(), projection.start.astype(str).tolist(), figures, strict=True
        )
    }
