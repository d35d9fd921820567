"""What a small world tells in October, and the news of it in November: a move, a new price, a cancellation."""

from datetime import UTC, datetime

from tests.feeds import PLANS, company, event, lines, subscription

FIRST = datetime(2026, 10, 20, 12, tzinfo=UTC)
LAST = datetime(2026, 12, 1, 12, tzinfo=UTC)
BRANCH = {"company": "acme", "branch": "main", "name": "Main", "valid_from": "2026-10-02T23:30:00Z", "city": "Berlin"}
MOVED = {"name": "Acme Ltd", "time_zone": "Europe/London", "country": "GB"}
V2 = PLANS.split("  - plan_key: combined")[0].removeprefix("\nplans:\n").replace('"49.00"', '"59.00"')
ACTIVATED = "2026-10-01T09:00:00+02:00"
NOVEMBER = "2026-11-01T00:00:00Z"

KNOWN_AT_FIRST = {
    "companies": lines(
        company(activated_at=ACTIVATED), company("quux", country="QQ", activated_at="2026-11-20T00:00:00Z")
    ),
    "branches": lines(BRANCH),
    "plans": PLANS,
    "subscriptions": lines(subscription(status="trial")),
}
NEWS = {
    "companies": lines(company(**MOVED, activated_at=ACTIVATED, valid_from=NOVEMBER)),
    "branches": lines({**BRANCH, "name": "New main", "city": "London", "valid_from": NOVEMBER}),
    "plans": PLANS + V2.replace("version: 1", "version: 2").replace("1990-01-01", "2026-11-01"),
    "subscriptions": lines(
        subscription(valid_from="2026-10-15T09:00:00+02:00"),
        subscription(valid_from=NOVEMBER, plan_version=2),
        subscription(valid_from="2026-11-05T12:00:00Z", plan_version=2, status="cancelled"),
    ),
    "kpis": lines(
        {"month": "2026-10", "kpi": "csat", "value": 4.5},
        {"month": "2026-10", "kpi": "churn_rate", "value": 0.75},
        {"month": "2026-11", "kpi": "churn_rate", "value": 0.75},
        {"month": "2026-10", "kpi": "mrr", "value": 900, "currency": "EUR"},
        {"month": "2026-10", "kpi": "mrr", "value": 500, "currency": "USD"},
    ),
}
EVENTS = (
    event("1", "2026-10-03T10:00:00+02:00"),
    event("2", "2026-10-04T10:00:00+02:00", branch="main"),
    event("3", "2026-10-05T10:00:00+02:00"),
)
NEW_EVENT = event("4", "2026-11-03T10:00:00Z")
