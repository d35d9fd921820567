"""Findings about limits, anomalies and savings, from frames that other parts of the analysis make."""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pandas as pd

from ml.analysis.arrays import ratio
from ml.analysis.usage_findings import SEVERITIES, Finding
from ml.analysis.windows import require_columns

__all__ = ["LOW_UTILISATION", "MAX_ANOMALIES", "OVERAGE_NOTICE", "OVERAGE_WARNING", "plan_findings"]

LOW_UTILISATION = 0.50
"""Share of the limit that is expected to be used by the end of the period, below which it is low (exclusive)."""
OVERAGE_NOTICE = 0.50
OVERAGE_WARNING = 0.80
"""Probabilities of reaching the limit within the period from which it is a notice, and a warning."""
MAX_ANOMALIES = 3
"""Anomalies told per company: the most severe, then the largest ones."""

LIMIT_COLUMNS = (
    "company_id", "meter", "limit_quantity", "used_quantity", "expected_quantity", "expected_utilisation",
    "reach_probability", "expected_reach_date", "period_end",
)  # fmt: skip
ANOMALY_COLUMNS = ("company_id", "meter", "usage_date", "kind", "severity", "quantity", "expected_quantity")
SAVINGS_COLUMNS = ("company_id", "amount", "currency", "plan_name")

Found = Iterator[tuple[int, Finding]]


def plan_findings(
    limits: pd.DataFrame | None, anomalies: pd.DataFrame | None, savings: pd.DataFrame | None
) -> dict[int, list[Finding]]:
    """Findings by company; a frame that is None has none. Quantities are in the meters' own units.

    - `limits`, one row per company and meter with a limit: company_id, meter, limit_quantity, used_quantity,
      expected_quantity, expected_utilisation (0..), reach_probability (0..1), expected_reach_date (or NaT),
      period_end. low_utilisation where even the meter used most is expected to stay below LOW_UTILISATION, since
      a smaller plan has less of all; overage_risk per meter from OVERAGE_NOTICE on. Size: the share that is
      left unused; the probability.
    - `anomalies`: company_id, meter, usage_date, kind (outage, drop, burst), severity, quantity,
      expected_quantity. usage_anomaly for up to MAX_ANOMALIES. Size: |quantity - expected| / the larger one.
    - `savings`, one row per company: company_id, amount (per month, Decimal or float), currency, plan_name
      (one text, or one per language). savings where the amount is above 0; the first of the notices, as the only
      one in money.

    Raises ValueError for missing columns and a severity that is not known.
    """
    found = defaultdict(list)
    for rule, frame, name, columns in (
        (_limits, limits, "limits", LIMIT_COLUMNS),
        (_anomalies, anomalies, "anomalies", ANOMALY_COLUMNS),
        (_savings, savings, "savings", SAVINGS_COLUMNS),
    ):
        if frame is None:
            continue
        require_columns(frame, name, columns)
        for company, finding in rule(frame):
            found[company].append(finding)
    return dict(found)


def _limits(limits: pd.DataFrame) -> Found:
    for row in limits[limits["reach_probability"] >= OVERAGE_NOTICE].to_dict("records"):
        probability = float(row["reach_probability"])
        numbers = {
            "meter": str(row["meter"]),
            "probability": round(probability, 4),
            "limit_quantity": float(row["limit_quantity"]),
            "used_quantity": float(row["used_quantity"]),
            "expected_quantity": float(row["expected_quantity"]),
            "expected_reach_date": _date(row["expected_reach_date"]),
            "period_end": _date(row["period_end"]),
        }
        severity = "warning" if probability >= OVERAGE_WARNING else "notice"
        yield row["company_id"], Finding("overage_risk", severity, probability, numbers)
    most_used = limits.sort_values(["company_id", "expected_utilisation"]).drop_duplicates("company_id", keep="last")
    for row in most_used[most_used["expected_utilisation"] < LOW_UTILISATION].to_dict("records"):
        utilisation = float(row["expected_utilisation"])
        numbers = {
            "meter": str(row["meter"]),
            "utilisation": round(utilisation, 4),
            "threshold": LOW_UTILISATION,
            "limit_quantity": float(row["limit_quantity"]),
            "expected_quantity": float(row["expected_quantity"]),
        }
        yield row["company_id"], Finding("low_utilisation", "notice", 1 - utilisation, numbers)


def _anomalies(anomalies: pd.DataFrame) -> Found:
    unknown = sorted(set(anomalies["severity"]) - set(SEVERITIES))
    if unknown:
        raise ValueError(f"anomalies has the severities {unknown}; use {', '.join(SEVERITIES)}.")
    seen, expected = (anomalies[name].to_numpy(dtype=np.float64) for name in ("quantity", "expected_quantity"))
    sized = anomalies.assign(
        size=ratio(np.abs(seen - expected), np.maximum(seen, expected), otherwise=0),
        rank=anomalies["severity"].map(SEVERITIES.index),
    )
    by_weight = sized.sort_values(["rank", "size", "usage_date"], ascending=[True, False, True], kind="stable")
    for row in by_weight.groupby("company_id", sort=False).head(MAX_ANOMALIES).to_dict("records"):
        numbers = {
            "meter": str(row["meter"]),
            "kind": str(row["kind"]),
            "usage_date": _date(row["usage_date"]),
            "quantity": float(row["quantity"]),
            "expected_quantity": float(row["expected_quantity"]),
        }
        yield row["company_id"], Finding("usage_anomaly", str(row["severity"]), float(row["size"]), numbers)


def _savings(savings: pd.DataFrame) -> Found:
    for row in savings[savings["amount"] > 0].to_dict("records"):
        numbers = {
            "amount": str(row["amount"]),
            "currency": str(row["currency"]),
            "plan_name": row["plan_name"],
        }
        yield row["company_id"], Finding("savings", "notice", math.inf, numbers)


def _date(value: pd.Timestamp) -> str | None:
    return None if pd.isna(value) else str(pd.Timestamp(value).date())
