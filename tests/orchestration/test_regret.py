"""A month after day 14: what two companies' recommendations came to, when it is known, and what the marts tell."""

from datetime import UTC, date, datetime
from decimal import Decimal

import dagster as dg
import pandas as pd
import pytest

from orchestration import clock
from orchestration.lifecycle import change
from orchestration.regret import replay_all, store
from orchestration.regret_shown import shown
from tests.feeds import event, lines
from tests.orchestration.advised_world import deliver, make_world

pytestmark = pytest.mark.long

ASSET = dg.AssetKey(["ml", "recommendation_regret"])
STORED = """
    select recommendation_key, recommended_cost, stay_cost, best.plan_key, best_cost, last.plan_key, last_month_cost,
        single.plan_key, single_plan_cost, regret, saving, is_harmed, was_right, history_days
    from ml.recommendation_regret as found
    inner join raw.plans as best on best_plan_id = best.plan_id
    inner join raw.plans as last on last_month_plan_id = last.plan_id
    inner join raw.plans as single on single_plan_id = single.plan_id
    order by 1
"""
FIGURES = "count_judged, mean_regret::text, harmed_share::text, captured_share::text, observed_frequency::text"


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def replay(world) -> int:
    """Replay all recommendations at the world's instant; returns how many rows were stored."""
    with world.connect() as connection:
        now = clock.now(connection)
        return store(connection, replay_all(connection, now), now)


def metadata(world) -> dict:
    """Run the weekly job; returns what its asset tells."""
    world.driver.run("recommendation_regret_job")
    found = world.instance.get_latest_materialization_event(ASSET)
    return {name: value.value for name, value in found.asset_materialization.metadata.items()}


@pytest.fixture(scope="module")
def world(module_pipeline):
    make_world(module_pipeline)
    with module_pipeline.connect() as connection:
        now = datetime(2026, 10, 20, tzinfo=UTC)
        change(connection, "day-14:bolt", "accepted", "ann", now)
    return module_pipeline


@pytest.fixture(scope="module")
def too_early(world):
    """On day 44 the 30 days are over, but the last of them may still lack what comes late."""
    deliver(world, date(2026, 11, 14))
    return replay(world), world.rows(STORED)


@pytest.fixture(scope="module")
def judged(world, too_early):
    deliver(world, date(2026, 11, 17))
    return metadata(world)


def test_nothing_is_judged_before_all_days_are_complete(too_early):
    assert too_early == (0, [])
    assert shown(pd.DataFrame()) == {}


def test_each_is_priced_on_the_thirty_days_that_followed(world, judged):
    acme, bolt = world.rows(STORED)
    # acme: 4 days of 8 minutes and 26 of 160; it was advised to stay at 0.20 a minute, where 100 + 0.05 was to be had.
    assert acme[:3] == ("day-14:acme", *money("838.40", "838.40"))
    assert acme[3:9] == ("large", *money("309.60"), "small", *money("838.40"), "large", *money("309.60"))
    assert acme[9:13] == (*money("528.80", "0.00"), False, False)
    # bolt: 30 days of 8 minutes, and the advice to leave the large plan.
    assert bolt[:3] == ("day-14:bolt", *money("48.00", "112.00"))
    assert bolt[3:9] == ("small", *money("48.00"), "small", *money("48.00"), "large", *money("112.00"))
    assert bolt[9:13] == (*money("0.00", "64.00"), False, True)
    assert acme[13] == bolt[13] == 10  # neither that of the activation, nor the last three, which came late
    assert judged["dagster/row_count"] == 2
    assert "EUR | all | recommended | 2 | 1 | 147.9% | 264.40 | 475.92 | 10.8% | 0.0%" in judged["figures"]
    assert "stay | " in judged["reliability"]
    assert judged["regret"].startswith("![Regret by way of choosing, EUR](data:image/png;base64,")


def test_the_marts_tell_it_of_each_and_of_all(world, judged):
    assert world.rows(
        "select recommendation_key, regret, realised_savings from marts.fct_recommendations order by 1"
    ) == [("day-14:acme", *money("528.80", "0.00")), ("day-14:bolt", *money("0.00", "64.00"))]
    assert world.rows(f"select usage_month, recommendation_type, {FIGURES} from marts.fct_recommendation_regret") == [
        (date(2026, 10, 1), "initial", 2, "264.40", "0.0000", "0.1080", "0.5000")
    ]
    assert world.rows("select count_realised, realised_savings from marts.fct_accepted_savings") == [
        (1, Decimal("64.00"))
    ]


def test_a_second_run_changes_nothing_and_what_waits_for_a_build_keeps_its_row(world, judged):
    before = world.fingerprint("ml.recommendation_regret")
    assert replay(world) == 2
    assert world.fingerprint("ml.recommendation_regret") == before
    with world.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("update ops.usage_date_state set dirty_version = 99 where usage_date = '2026-11-13'")
        now = datetime(2026, 11, 17, 6, tzinfo=UTC)
        assert store(connection, replay_all(connection, now), now) == 0
        assert connection.execute("select count(*) from ml.recommendation_regret").fetchone() == (2,)


def test_a_late_event_changes_the_row_when_it_is_computed_again(world, judged):
    before = dict(world.rows("select recommendation_key, known_at from ml.recommendation_regret"))
    world.set_clock(datetime(2026, 11, 20, 6, tzinfo=UTC))
    hours = [
        event(f"long-{day}", f"2026-11-{day:02}T10:00:00Z", "bolt", duration_seconds=36_000) for day in range(1, 11)
    ]
    world.land("events", "late.ndjson", lines(*hours))
    world.tick("landing_files_sensor", "changed_usage_dates_sensor")
    assert replay(world) == 2
    acme, bolt = world.rows(STORED)
    # 6,000 minutes more: small 48 + 1,200 and large 112 + 300
    assert bolt[1:5] == (*money("1248.00", "412.00"), "large", *money("412.00"))
    assert bolt[9:13] == (*money("836.00", "-836.00"), True, False)
    assert acme[9] == Decimal("528.80")
    after = dict(world.rows("select recommendation_key, known_at from ml.recommendation_regret"))
    assert all(after[key] > before[key] for key in before)


def test_the_week_s_run_waits_for_the_marts(pipeline):
    from orchestration.defs.pricing.regret import weekly_regret_schedule
    from orchestration.resources import NO_MARTS, resources

    assert weekly_regret_schedule(dg.build_schedule_context(resources=resources)) == NO_MARTS
