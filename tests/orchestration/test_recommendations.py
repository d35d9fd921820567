"""Whose plan can be compared with others, and that who has none waits for one."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from integrations.events.feeds import load_feed, load_plans
from orchestration.catalogue import agreement_problems, parse_plans
from orchestration.recommendations import read_plans, with_current_plan
from tests.feeds import PLANS, company, lines, subscription

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
PLAN = """
  - {{plan_key: {key}, version: 1, name: Any, currency: {currency}, monthly_base_fee: "0", option: standard,
     is_trial: {is_trial}, valid_from: 1990-01-01, charges: [{{model: per_unit, meter: {meter}, unit_price: "0.01"}}]}}
"""
FREE = PLAN.format(key="free", currency="EUR", is_trial="true", meter="appointments")
DOLLARS = PLAN.format(key="dollars", currency="USD", is_trial="false", meter="appointments")
UNITED = PLAN.format(key="united", currency="EUR", is_trial="false", meter="customers")
LATER = subscription(plan="combined", valid_from="2026-10-05T00:00:00Z")
FUTURE = subscription(plan="combined", valid_from="2026-12-05T00:00:00Z")


@pytest.fixture
def know(connection, tmp_path):
    """Load plans, a company and its subscriptions; returns the company's id."""

    def load(plans: str, *subscriptions: dict, **own) -> int:
        contents = {"plans": plans, "companies": lines(company(**own)), "subscriptions": lines(*subscriptions)}
        for feed, content in contents.items():
            path = tmp_path / feed
            path.write_text(content)
            if feed == "plans":
                load_plans(connection, path, NOW, parse_plans)
            else:
                load_feed(connection, feed, path, NOW, problems=agreement_problems)
        connection.execute("drop table if exists marts.dim_companies")
        connection.execute("create table marts.dim_companies as select company_id, currency from raw.companies")
        return connection.execute("select company_id from raw.companies").fetchone()[0]

    return load


@pytest.mark.parametrize(
    ("plans", "subscriptions", "own", "expected"),
    [
        (PLANS, [subscription()], {}, ["per_minute"]),
        (PLANS, [subscription(), LATER], {}, ["combined"]),
        (PLANS, [subscription(), FUTURE], {}, ["per_minute"]),
        (PLANS + FREE, [], {}, ["free"]),
        (PLANS, [], {}, []),
        (PLANS + FREE, [], {"currency": "USD"}, []),
        (PLANS + DOLLARS, [subscription(plan="dollars")], {}, []),
        (PLANS + UNITED, [subscription(plan="united")], {}, []),
    ],
    ids=[
        "its subscription",
        "the latest one",
        "none of the future",
        "without one the trial",
        "no trial",
        "no trial in its currency",
        "in another currency",
        "of a meter that is not projected",
    ],
)
def test_a_company_has_a_plan_that_can_be_compared(connection, know, plans, subscriptions, own, expected):
    company_id = know(plans, *subscriptions, **own)
    assert connection.execute("select count(*) from raw.subscriptions").fetchone() == (len(subscriptions),)
    found = with_current_plan(connection, [company_id], NOW + timedelta(hours=1), read_plans(connection)[0])
    assert found["plan_key"].tolist() == expected


def test_what_a_company_has_agreed_beside_its_plan_it_uses(connection, know):
    add_ons = "add_ons: [{key: label, name: Label, monthly_fee: '5', features: [white_label, logo]}]"
    own = PLAN.format(key="own", currency="EUR", is_trial="false", meter="appointments")
    plans = PLANS + own.replace("valid_from", f"{add_ons}, features: [{{name: logo}}], valid_from")
    agreed = {"add_ons": {"label": 1}, "overrides": {"features": [{"name": "api"}, {"name": "logo"}]}}
    company_id = know(plans, subscription(plan="own", **agreed))
    found = with_current_plan(connection, [company_id], NOW + timedelta(hours=1), read_plans(connection)[0])
    assert found["features"].tolist() == [["api", "white_label"]]


def test_who_has_no_plan_to_compare_waits_until_it_has_one(pipeline, know, monkeypatch):
    from orchestration.defs.analysis import sensors

    due = pd.DataFrame({"company_id": [know(PLANS)], "company_key": "acme", "as_of": pd.Timestamp("2026-10-15")})
    monkeypatch.setattr(sensors, "has_marts", lambda _: True)
    monkeypatch.setattr(sensors, "read_companies", lambda *_: due)
    monkeypatch.setattr(sensors, "companies_due", lambda found, *_: found)
    monkeypatch.setattr(pipeline.driver, "run", lambda job, _: job)
    pipeline.set_clock(NOW)
    assert pipeline.tick("day_14_recommendations_sensor") == []
    assert pipeline.tick("day_7_insights_sensor") == ["day_7_insights_job"]
    know(PLANS, subscription())
    assert pipeline.tick("day_14_recommendations_sensor") == ["day_14_recommendations_job"]
