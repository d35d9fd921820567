"""Two companies with weeks of usage: acme suits its plan until it grows, bolt has one that is too large."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from orchestration.resources import resources
from tests.feeds import company, event, lines, subscription
from tests.pipelines import Pipeline

START, DAY_14 = date(2026, 10, 1), date(2026, 10, 15)
PLANS = {"acme": "small", "bolt": "large"}
SMALL = """
plans:
  - {plan_key: small, version: 1, name: Small, currency: EUR, monthly_base_fee: "0", option: standard,
     valid_from: 1990-01-01, charges: [{model: per_unit, meter: call_seconds, per: 60, unit_price: "0.20"}]}
  - {plan_key: large, version: 1, name: Large, currency: EUR, monthly_base_fee: "100.00", option: standard,
     valid_from: 1990-01-01, charges: [{model: per_unit, meter: call_seconds, per: 60, unit_price: "0.05"}]}
"""


def calls(key: str, day: date) -> list[dict]:
    """Four calls of two minutes; from 19 October on acme has twenty times as many."""
    count = 80 if key == "acme" and day >= date(2026, 10, 19) else 4
    start = datetime(day.year, day.month, day.day, 7, tzinfo=UTC)
    times = [start + timedelta(minutes=5 * place) for place in range(count)]
    return [event(f"{key}-{time:%m-%d-%H%M}", time.isoformat(), key, duration_seconds=120) for time in times]


def deliver(pipeline: Pipeline, at: date) -> None:
    """Let all usage arrive that was made before a date, that morning, and build the marts."""
    pipeline.set_clock(datetime(at.year, at.month, at.day, 6, tzinfo=UTC))
    days = [START + timedelta(days=number) for number in range((at - START).days)]
    usage = (call for key in PLANS for day in days for call in calls(key, day))
    pipeline.land("events", f"events-{at}.ndjson", lines(*usage))
    pipeline.tick("landing_files_sensor", "changed_usage_dates_sensor")


def look(pipeline: Pipeline, at: date, *names: str, days_late: int = 0) -> None:
    """Analyse and look at plans as of a date, as the daily run does."""
    from orchestration.defs.analysis import assets as analysis
    from orchestration.defs.pricing import assets as pricing

    pipeline.set_clock(datetime(at.year, at.month, at.day, 13, tzinfo=UTC) + timedelta(days=days_late))
    assets = [analysis.usage_patterns, analysis.business_characteristics, analysis.usage_forecasts]
    chosen = [*assets, *(getattr(pricing, name) for name in names)]
    partition = (at - timedelta(days=1)).isoformat()
    assert dg.materialize(chosen, partition_key=partition, instance=pipeline.instance, resources=resources).success


def make_world(pipeline: Pipeline) -> None:
    """Two weeks of usage, and what both companies are advised on day 14."""
    pipeline.set_clock(datetime(2026, 10, 1, 6, tzinfo=UTC))
    pipeline.warehouse.execute("update ops.settings set value = '2026-10-01' where name = 'go_live_date'")
    pipeline.land("companies", "companies.ndjson", lines(*map(company, PLANS)))
    pipeline.land("plans", "plans.yaml", SMALL)
    since = "2026-10-01T00:00:00+02:00"
    subscriptions = [subscription(key, plan=plan, valid_from=since) for key, plan in PLANS.items()]
    pipeline.land("subscriptions", "subscriptions.ndjson", lines(*subscriptions))
    pipeline.tick("landing_files_sensor")
    deliver(pipeline, DAY_14)
    look(pipeline, DAY_14, "pricing_recommendations", "recommendation_reviews")
