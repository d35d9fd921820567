"""A plan that prices each payment: what is booked depends on the single events, and not on their sum alone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.events.archive import Archive
from integrations.events.erasure import erase_customer
from integrations.events.frames import Frame
from orchestration.corrections import effect_of
from orchestration.partitions import range_tags
from orchestration.retention import open_archive
from tests.feeds import company, event, lines, subscription

pytestmark = pytest.mark.long
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
SENSORS = ("landing_files_sensor", "changed_usage_dates_sensor", "billing_sync_sensor")
PLANS = """
plans:
  - plan_key: by_payment
    version: 1
    name: By payment
    currency: EUR
    option: standard
    valid_from: 1990-01-01
    charges:
      - {model: percentage, meter: payments, rate_percent: 2, fixed_per_event: "0.30", event_minimum: "1.00"}
  - plan_key: by_fee
    version: 1
    name: By fee
    currency: EUR
    option: standard
    valid_from: 1990-01-01
    charges:
      - {model: percentage, meter: payments, rate_percent: 0, fixed_per_event: "0.25", free_events: 1}
  - plan_key: by_sum
    version: 1
    name: By sum
    currency: EUR
    option: standard
    valid_from: 1990-01-01
    charges:
      - {model: percentage, meter: payments, rate_percent: 10}
"""
EVENTS = "intermediate.int_priced_events"


def payment(key: str, id: str, time: str, revenue: str) -> dict[str, Any]:
    return event(id, time, key, "payment", revenue=revenue, currency="EUR", customer="c-1")


def paid(key: str, month: str = "2026-10") -> list[dict[str, Any]]:
    """Three payments on two days."""
    return [
        payment(key, "large", f"{month}-05T09:00:00+02:00", "100"),
        payment(key, "small", f"{month}-05T09:30:00+02:00", "10"),
        payment(key, "next day", f"{month}-06T00:00:00+02:00", "50"),
    ]


def split(key: str) -> list[dict[str, Any]]:
    """Two payments that come to as much as the large one."""
    return [
        payment(key, "one half", "2026-10-05T10:00:00+02:00", "60"),
        payment(key, "other half", "2026-10-05T08:00:00+02:00", "40"),
    ]


@pytest.fixture(scope="module")
def billed(module_pipeline):
    """Four companies, billed; then the payments or the plans of three of them change, and they are billed again."""
    keys, since = ("steady", "splits", "switches", "past"), "2026-09-01T00:00:00+02:00"
    agreed = [subscription(key, plan="by_payment", valid_from=since) for key in keys]
    payments = [*paid("steady"), *paid("splits"), *paid("switches"), *paid("past", "2026-09")]
    module_pipeline.set_clock(NOW)
    module_pipeline.land("companies", "companies.ndjson", lines(*(company(key, activated_at=since) for key in keys)))
    module_pipeline.land("plans", "plans.yaml", PLANS)
    module_pipeline.land("subscriptions", "subscriptions.ndjson", lines(*agreed))
    module_pipeline.land("events", "events.ndjson", lines(*payments))
    module_pipeline.tick(*SENSORS)
    with module_pipeline.connect() as connection:
        for day in (5, 6):
            open_archive().archive(connection, date(2026, 9, day), NOW)

    changed = [
        subscription("past", plan="by_fee", valid_from=since),
        subscription("switches", plan="by_sum", valid_from="2026-10-06T00:00:00+02:00"),
    ]
    void = event("void", "2026-10-07T09:00:00+02:00", "splits", "void", voids="large")
    module_pipeline.set_clock(LATER)
    module_pipeline.land("subscriptions", "changed.ndjson", lines(*changed))
    module_pipeline.land("events", "split.ndjson", lines(void, *split("splits")))
    module_pipeline.tick(*SENSORS)
    return module_pipeline


def booked(pipeline, key: str) -> list[tuple[Any, ...]]:
    return pipeline.rows(
        "select usage_date::text, quantity::int, amount::numeric(10, 2)::text from billing.rated_usage"
        " join raw.company_ids using (company_id) where company_key = %s order by rated_at, usage_date, seq",
        key,
    )


def owed(pipeline, key: str) -> dict[str, Decimal]:
    """What the books come to, by plan."""
    found = pipeline.rows(
        "select plan_key, sum(amount) from billing.rated_usage join raw.company_ids using (company_id)"
        " where company_key = %s group by plan_key",
        key,
    )
    return dict(found)


def test_each_payment_has_its_fee_and_its_minimum(billed):
    assert booked(billed, "steady") == [("2026-10-05", 110, "3.30"), ("2026-10-06", 50, "1.30")]


def test_another_split_of_the_same_sum_books_the_difference_once(billed):
    before, difference = booked(billed, "splits")[:2], booked(billed, "splits")[2:]
    assert before == booked(billed, "steady")
    assert difference == [("2026-10-06", 0, "0.30")]
    assert billed.tick("billing_sync_sensor") == []


def test_an_archived_month_is_priced_anew_by_what_was_kept_of_its_events(billed):
    assert billed.value("select count(*) from raw.usage_events where usage_date < '2026-10-01'") == 0
    assert owed(billed, "past") == {"by_payment": 0, "by_fee": Decimal("0.50")}


def test_of_two_plans_in_a_month_each_prices_the_days_on_which_it_holds(billed):
    assert owed(billed, "switches") == {"by_payment": Decimal("3.30"), "by_sum": Decimal("5.00")}


def test_a_correction_is_previewed_event_by_event(billed, tmp_path):
    path, before = tmp_path / "split.ndjson", billed.fingerprint(EVENTS)
    path.write_text(lines(*split("steady"), paid("steady")[1]))
    frame = Frame("steady", datetime(2026, 10, 4, 22, tzinfo=UTC), datetime(2026, 10, 5, 22, tzinfo=UTC))
    effect = effect_of(billed.warehouse.url, frame, path, LATER)
    assert effect.amounts == [(date(2026, 10, 1), "EUR", Decimal("0.30"))]
    assert billed.fingerprint(EVENTS) == before


def test_what_is_kept_names_no_customer_and_erasure_changes_no_bill(billed, tmp_path):
    assert not [row for (row,) in billed.rows(f"select t::text from {EVENTS} as t") if "c-1" in row]
    before = billed.fingerprint(EVENTS, "billing.rated_usage")
    with billed.connect() as connection:
        erased = erase_customer(connection, Archive(str(tmp_path / "archive")), "steady", "c-1", LATER)
    assert erased.counts["raw.usage_events"] == len(paid("steady"))
    billed.driver.run("usage_marts_job", range_tags(date(2026, 10, 5), date(2026, 10, 6)))
    billed.tick(*SENSORS)
    assert billed.fingerprint(*before) == before
