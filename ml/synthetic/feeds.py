"""The reference feeds: what the pipeline is told about companies, branches and subscriptions, and when."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ml.synthetic.archetypes import Week
from ml.synthetic.companies import Company

__all__ = ["branch_rows", "company_row", "subscription_row", "write_feeds"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Row = dict[str, Any]


def company_row(company: Company) -> Row:
    """The line of the companies feed; a weekday absent from `business_hours` is closed."""
    return {
        "company": company.key,
        "valid_from": company.midnight_of_activation.isoformat(),
        "name": company.name,
        "industry": company.archetype.industry,
        "country": company.market.country,
        "time_zone": company.market.time_zone,
        "business_hours": _business_hours(company.archetype.business_hours),
        "locale": company.market.locale,
        "currency": company.market.currency,
        "activated_at": company.activated_at.isoformat(),
        "contact_email": f"{company.key}@example.com",
    }


def branch_rows(company: Company) -> list[Row]:
    """The lines of the branches feed of one company."""
    valid_from = company.midnight_of_activation.isoformat()
    return [
        {
            "company": company.key,
            "branch": branch.key,
            "valid_from": valid_from,
            "name": branch.name,
            "city": branch.city,
            "region": branch.region,
        }
        for branch in company.branches
    ]


def subscription_row(company: Company) -> Row:
    """The line of the subscriptions feed."""
    return {
        "company": company.key,
        "valid_from": company.midnight_of_activation.isoformat(),
        "plan": company.plan,
        "plan_version": 1,
        "status": "active",
        "stripe_customer_id": f"cus_synthetic{company.number + 1:04d}",
    }


def write_feeds(arrivals: Path, companies: Iterable[Company], first_day: date, catalogue: str | None) -> None:
    """Write every company on the day before its activation, at the earliest on the first day."""
    by_day: dict[date, list[Company]] = defaultdict(list)
    for company in companies:
        by_day[max(first_day, company.activated_at.date() - timedelta(days=1))].append(company)
    for day, arriving in by_day.items():
        folder, suffix = arrivals / day.isoformat(), "" if day == first_day else f"-{day.isoformat()}"
        _write_rows(folder / "companies" / f"companies{suffix}.ndjson", map(company_row, arriving))
        _write_rows(folder / "branches" / f"branches{suffix}.ndjson", (r for c in arriving for r in branch_rows(c)))
        _write_rows(folder / "subscriptions" / f"subscriptions{suffix}.ndjson", map(subscription_row, arriving))
    if catalogue is not None:
        plans = arrivals / first_day.isoformat() / "plans" / "plans.yaml"
        plans.parent.mkdir(parents=True, exist_ok=True)
        plans.write_bytes(catalogue.encode())


def _business_hours(week: Week) -> dict[str, list[str]]:
    return {
        name: [f"{hours[0]:02d}:00", f"{hours[1]:02d}:00"]
        for name, hours in zip(_WEEKDAYS, week, strict=True)
        if hours is not None
    }


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
