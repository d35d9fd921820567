import copy
from datetime import UTC, datetime

import pytest

from integrations.messaging.transports import OutgoingMail

FIRST_INSIGHTS = {
    "company_name": "Praxis & Partner",
    "window_start": "2026-11-07",
    "window_end": "2026-11-14",
    "totals": {"calls": 1284, "call_minutes": 3571.5, "appointments": 1},
    "findings": [{"code": "after_hours_share", "severity": "info", "numbers": {"ratio": 0.31}}],
}
RECOMMENDATION = {
    "company_name": "Praxis & Partner",
    "action": "switch",
    "current_plan": {"name": "Basis"},
    "recommended_plan": {"name": "Volumen-Tarif", "benefits": ["Keine Grundgebühr"]},
    "currency": "EUR",
    "expected_cost": "1089.50",
    "current_cost": "1234.50",
    "projected_savings": "145.00",
    "confidence": 0.87,
    "alternatives": [{"name": "Hybrid", "expected_cost": "1120.10"}],
    "action_url": "https://app.invalid/recommendations/42?a=1&b=2",
    "expires_at": "2026-12-05T00:00:00+01:00",
}


@pytest.fixture
def payload():
    """A factory of payloads by kind, with overrides."""

    def make(kind, **overrides):
        base = {"first_insights": FIRST_INSIGHTS, "recommendation": RECOMMENDATION}[kind]
        return copy.deepcopy(base) | overrides

    return make


@pytest.fixture
def mail():
    """A factory of outgoing mails, with overrides."""

    def make(**overrides):
        fields = {
            "key": "day-7:acme",
            "kind": "first_insights",
            "company": "Acme",
            "locale": "de",
            "sender": "Usage Pricing <noreply@usage-pricing.invalid>",
            "recipient": "owner@acme.invalid",
            "subject": "Ihre ersten Einblicke nach 7 Tagen",
            "html": "<p>Grüße</p>",
            "text": "Grüße",
            "date": datetime(2026, 11, 14, 12, tzinfo=UTC),
        }
        return OutgoingMail(**{**fields, **overrides})

    return make
