"""What the mails say: the payloads of `integrations.messaging`, from the rows of the analysis."""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from psycopg import Connection

from integrations.postgres.warehouse import read_frame

Payload = dict[str, Any]
TOLD = ("call_seconds", "appointments")
"""Meters whose projected month is told."""

INSIGHTS = """
    select 'day-7:' || companies.company_key as key, insights.as_of as due_on,
        companies.company_id, companies.company_key, companies.name as company_name, companies.activated_on,
        companies.locale, companies.contact_email as recipient,
        insights.window_start, insights.window_end, insights.totals, insights.findings
    from ml.usage_insights as insights
    inner join marts.dim_companies as companies on insights.company_id = companies.company_id
    where insights.milestone_day = 7
"""
RECOMMENDATIONS = """
    select found.recommendation_key as key, found.as_of as due_on,
        companies.company_id, companies.company_key, companies.name as company_name, companies.activated_on,
        companies.locale, companies.contact_email as recipient,
        found.recommendation_id, found.action, found.alternatives, found.reasoning, found.currency,
        found.projected_savings, found.confidence_score, found.expires_at,
        current_plan.terms as current_terms, recommended_plan.terms as recommended_terms
    from ml.pricing_recommendations as found
    inner join marts.dim_companies as companies on found.company_id = companies.company_id
    inner join raw.plans as current_plan on found.current_plan_id = current_plan.plan_id
    inner join raw.plans as recommended_plan on found.recommended_plan_id = recommended_plan.plan_id
    where found.status in ('pending', 'viewed')
"""


def read_results(connection: Connection, kind: str) -> list[dict[str, Any]]:
    """The results about which companies are mailed; a recommendation only while nobody has decided on it."""
    query = {"first_insights": INSIGHTS, "recommendation": RECOMMENDATIONS}[kind]
    return [
        {**row, **{name: row[name].date() for name in ("activated_on", "due_on")}, "payload": PAYLOADS[kind](row)}
        for row in read_frame(connection, query).to_dict("records")
    ]


def insights_payload(row: Mapping[str, Any]) -> Payload:
    """What the first-insights mail is rendered from."""
    totals = row["totals"]
    return {
        "company_name": row["company_name"],
        "window_start": row["window_start"].date().isoformat(),
        "window_end": row["window_end"].date().isoformat(),
        "totals": {
            "calls": int(totals.get("calls", 0)),
            "call_minutes": round(totals.get("call_seconds", 0) / 60, 1),
            "appointments": int(totals.get("appointments", 0)),
        },
        "findings": [{**finding, "numbers": _for_people(finding)} for finding in row["findings"]],
    }


def _for_people(finding: Mapping[str, Any]) -> Payload:
    """A finding's numbers in the units of a mail: minutes instead of seconds."""
    numbers: Payload = finding["numbers"]
    if finding["code"] != "projected_month":
        return numbers
    expected = {meter: spread["expected"] for meter, spread in numbers["meters"].items()}
    return {
        "call_minutes": round(expected.get("call_seconds", 0) / 60),
        "appointments": round(expected.get("appointments", 0)),
        "forecast_error": forecast_error(finding),
    }


def forecast_error(projected_month: Mapping[str, Any]) -> float | None:
    """How far the least exact of the forecasts that a mail tells may be off, by a backtest; None if one was not judged.

    What is not used is not counted, since nothing is told of it.
    """
    meters = projected_month["numbers"]["meters"]
    errors = [spread.get("wape") for name in TOLD if (spread := meters.get(name, {})).get("expected")]
    return max(errors) if errors and None not in errors else None


def recommendation_payload(row: Mapping[str, Any]) -> Payload:
    """What the recommendation mail is rendered from."""
    costs = {is_of: option for option in row["reasoning"]["options"] for is_of in _roles(option)}
    recommended = row["recommended_terms"]
    months = [finding for finding in row["reasoning"]["insights"] if finding["code"] == "projected_month"]
    return {
        "company_name": row["company_name"],
        "action": row["action"],
        "current_plan": {"name": _in(row["locale"], row["current_terms"]["name"])},
        "recommended_plan": {
            "name": _in(row["locale"], recommended["name"]),
            "benefits": _in(row["locale"], recommended["benefits"]) or [],
        },
        "currency": row["currency"],
        "expected_cost": costs["recommended"]["expected_cost"],
        "current_cost": costs["current"]["expected_cost"],
        "projected_savings": str(row["projected_savings"]),
        "confidence": float(row["confidence_score"]),
        "forecast_error": next(map(forecast_error, months), None),
        "alternatives": [
            {"name": _in(row["locale"], other["name"]), "expected_cost": other["expected_cost"]}
            for other in row["alternatives"]
        ],
        "action_url": f"{portal()}/recommendations/{row['recommendation_id']}",
        "expires_at": (row["expires_at"] - timedelta(days=1)).date().isoformat(),
    }


PAYLOADS = {"first_insights": insights_payload, "recommendation": recommendation_payload}


def portal() -> str:
    """Where the links of the mails lead (PORTAL_URL)."""
    return os.environ.get("PORTAL_URL", "https://portal.example.com").rstrip("/")


def _roles(option: Mapping[str, Any]) -> list[str]:
    return [role for role in ("current", "recommended") if option[f"is_{role}"]]


def _in(locale: str, text: Any) -> Any:
    """A text that may be written in several languages, in the reader's, else in English, else in whichever there is."""
    if not isinstance(text, Mapping):
        return text
    language = locale.split("-")[0].split("_")[0]
    return text.get(language) or text.get("en") or next(iter(text.values()), None)
