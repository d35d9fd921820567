"""From day 15 on: who is looked at again, what is found, and that a second run finds nothing to do."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pandas as pd
import pytest

from orchestration.lifecycle import change
from orchestration.resources import resources
from orchestration.reviews import due_reviews, read_reviewable
from tests.orchestration.advised_world import DAY_14, START, deliver, look, make_world

TINY = """
plans:
  - {plan_key: tiny, version: 1, name: Tiny, currency: EUR, monthly_base_fee: "0", option: standard,
     valid_from: 1990-01-01, charges: [{model: per_unit, meter: call_seconds, per: 60, unit_price: "0.10"},
     {model: per_unit, meter: calls, unit_price: "0.02"}]}
"""
REVIEWS = """
    select company_key, as_of, occasion, meters_out_of_range, outcome, recommendation_key
    from ml.recommendation_reviews inner join marts.dim_companies using (company_id) order by as_of, company_key
"""
ADVICE = """
    select recommendation_key, recommendation_type, action, plan_key, found.status
    from ml.pricing_recommendations as found inner join raw.plans on recommended_plan_id = plan_id
    order by found.as_of, recommendation_key
"""


@pytest.fixture(scope="module")
def world(module_pipeline):
    make_world(module_pipeline)
    return module_pipeline


@pytest.fixture(scope="module")
def after_a_week(world):
    deliver(world, date(2026, 10, 22))
    look(world, date(2026, 10, 22), "recommendation_reviews")
    return world.rows(REVIEWS), world.rows(ADVICE)


@pytest.fixture(scope="module")
def read_after_a_week(world, after_a_week):
    """Who could be reviewed on 29 and on 24 October, and of those that joined later."""
    deliver(world, date(2026, 10, 29))
    late, early = (datetime(2026, 10, day, 13, tzinfo=UTC) for day in (29, 24))
    with world.connect() as connection:
        return (
            read_reviewable(connection, late.date(), late, START),
            read_reviewable(connection, early.date(), early, None),
            read_reviewable(connection, late.date(), late, START + timedelta(days=1)),
        )


@pytest.fixture(scope="module")
def after_two_weeks(world, read_after_a_week):
    world.land("plans", "tiny.yaml", TINY)
    world.tick("landing_files_sensor")
    look(world, date(2026, 10, 29), "recommendation_reviews")
    return world.rows(REVIEWS), world.rows(ADVICE)


def test_a_week_after_day_14_both_are_looked_at_and_nothing_is_new(after_a_week):
    reviews, advice = after_a_week
    at = date(2026, 10, 22)
    assert reviews == [(key, at, "week", [], "nothing_new", None) for key in ("acme", "bolt")]
    assert advice == [
        ("day-14:acme", "initial", "stay", "small", "pending"),
        ("day-14:bolt", "initial", "switch", "small", "pending"),
    ]


def test_growth_is_an_adjustment_a_new_plan_an_optimization_and_older_offers_end(after_two_weeks):
    reviews, advice = after_two_weeks
    at = date(2026, 10, 29)
    acme, bolt = reviews[2:]
    assert acme[:3] == ("acme", at, "usage")
    assert {"calls", "call_seconds"} <= set(acme[3])
    assert acme[4:] == ("recommended", "usage:2026-10-29:acme")
    assert bolt == ("bolt", at, "week", [], "recommended", "week:2026-10-29:bolt")
    assert advice == [
        ("day-14:acme", "initial", "stay", "small", "expired"),
        ("day-14:bolt", "initial", "switch", "small", "expired"),
        ("usage:2026-10-29:acme", "adjustment", "switch", "large", "pending"),
        ("week:2026-10-29:bolt", "optimization", "switch", "tiny", "pending"),
    ]


def test_a_second_run_a_run_for_the_past_and_one_of_the_next_day_change_nothing(world, after_two_weeks):
    tables = ("ml.pricing_recommendations", "ml.recommendation_reviews", "ml.recommendation_transitions")
    before = world.fingerprint(*tables)
    for at in (date(2026, 10, 29), date(2026, 10, 22), date(2026, 10, 30)):
        look(world, at, "pricing_recommendations", "recommendation_reviews")
        assert world.fingerprint(*tables) == before


def test_usage_since_is_that_of_whole_weeks_of_complete_days(read_after_a_week):
    # A week comes in one file, so a day may take three days to be complete.
    found, early, younger = read_after_a_week
    assert found["days"].tolist() == [7, 7]
    assert [used["calls"] for used in found["used"]] == [7 * 80, 7 * 4]
    assert (early["days"].tolist(), early["used"].tolist()) == ([0, 0], [{}, {}])
    assert younger.empty


def test_each_offer_that_is_open_is_mailed_once_and_what_has_ended_is_not(world, after_two_weeks):
    for _ in range(2):
        world.set_clock(datetime(2026, 10, 29, 14, tzinfo=UTC))
        from orchestration.defs.messaging.assets import notifications

        assert dg.materialize([notifications], instance=world.instance, resources=resources).success
    found = world.rows("select notification_key, state from messaging.notifications where kind = 'recommendation'")
    assert sorted(found) == [("usage:2026-10-29:acme", "dry_run"), ("week:2026-10-29:bolt", "dry_run")]


def test_what_was_rejected_is_not_offered_again_and_what_is_too_old_expires(world, after_two_weeks):
    with world.connect() as connection:
        change(connection, "week:2026-10-29:bolt", "rejected", "bolt", datetime(2026, 10, 30, 9, tzinfo=UTC))
    deliver(world, date(2026, 11, 5))
    look(world, date(2026, 11, 5), "recommendation_reviews")
    assert world.rows(REVIEWS)[-1] == ("bolt", date(2026, 11, 5), "week", [], "offered_before", None)
    # A run for a date that is long gone reviews nobody, and ends what has become too old.
    before = world.fingerprint("ml.recommendation_reviews")
    look(world, date(2026, 11, 12), "recommendation_reviews", days_late=16)
    assert world.fingerprint("ml.recommendation_reviews") == before
    assert {row[0]: row[-1] for row in world.rows(ADVICE)}["usage:2026-10-29:acme"] == "expired"


def reviewable(**fields) -> pd.DataFrame:
    row = {
        "company_id": 7,
        "company_key": "acme",
        "activated_on": pd.Timestamp(START),
        "looked_on": pd.Timestamp(DAY_14),
        "out_of_range_on": pd.NaT,
        "assumed": {"calls": {"p10": 90.0, "p50": 100.0, "p90": 110.0}},
        "used": {"calls": 23.3},
        "days": 7,
        **fields,
    }
    return pd.DataFrame([row])


def test_who_is_due_is_told_with_the_meters_that_left_the_range():
    at = date(2026, 10, 22)
    assert due_reviews(reviewable(), at) == {7: {"company_key": "acme", "occasion": "week", "meters_out_of_range": []}}
    assert due_reviews(reviewable(used={}), at)[7] | {"company_key": ""} == {
        "company_key": "", "occasion": "usage", "meters_out_of_range": ["calls"],
    }  # fmt: skip
    assert due_reviews(reviewable(), at - timedelta(days=1)) == {}
    assert due_reviews(reviewable(looked_on=pd.Timestamp(at)), at) == {}
    again = reviewable(used={}, looked_on=pd.Timestamp("2026-10-20"), out_of_range_on=pd.Timestamp("2026-10-20"))
    assert due_reviews(again, at - timedelta(days=1)) == {}
    assert due_reviews(again, date(2026, 10, 27))[7]["occasion"] == "usage"
