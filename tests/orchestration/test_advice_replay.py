"""A recommendation comes out the same a month later, whatever has arrived, was rebuilt or was archived since."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from orchestration.advice import advise
from orchestration.advice_replay import Difference, NotReplayable, differences, replay
from orchestration.cli import app
from orchestration.lifecycle import UnknownRecommendation, publish
from orchestration.recommendations import Occasion
from orchestration.replay_contents import ContentMissing
from tests.feeds import event, lines
from tests.orchestration.advised_world import DAY_14, SMALL, look, make_world
from tests.orchestration.test_lifecycle import row

KEYS = ("day-14:acme", "day-14:bolt")
LATER = datetime(2026, 11, 15, 13, tzinfo=UTC)
GONE = ("raw.usage_events", "raw.subscriptions", "raw.companies", "raw.holidays")
DERIVED = ("usage_patterns", "business_characteristics", "usage_forecasts", "limit_forecasts", "usage_anomalies")

# Its time has run out by then, and nothing else is to change.
WHAT_WAS_SAID = "select to_jsonb(found) - 'status' from ml.pricing_recommendations as found order by 1"


@pytest.fixture(scope="module")
def world(module_pipeline):
    make_world(module_pipeline)
    return module_pipeline


def disturb(world) -> None:
    """Three calls an hour more on each of the first fourteen days, and a cheaper version of a plan."""
    world.set_clock(LATER)
    times = [datetime(2026, 10, 1, 8, tzinfo=UTC) + timedelta(minutes=20 * n) for n in range(14 * 24 * 3)]
    late = [event(f"late-{key}-{time:%d-%H%M}", time.isoformat(), key) for key in ("acme", "bolt") for time in times]
    world.land("events", "late.ndjson", lines(*late))
    cheaper = SMALL.replace("version: 1", "version: 2").replace('"0.20"', '"0.01"')
    world.land("plans", "cheaper.yaml", cheaper)
    world.tick("landing_files_sensor", "changed_usage_dates_sensor")


def empty(world) -> None:
    """As if all events were archived and no mart had ever been built."""
    marts = world.rows(
        "select schemaname || '.' || tablename from pg_tables where schemaname in ('marts', 'intermediate')"
    )
    tables = [*GONE, *(f"ml.{name}" for name in DERIVED), *(name for (name,) in marts)]
    world.warehouse.execute(f"truncate {', '.join(tables)}")


@pytest.fixture(scope="module")
def a_month_later(world):
    """What the recommendations were, what they would be today, and the world after both."""
    before = world.rows(WHAT_WAS_SAID), world.fingerprint("ml.replay_contents")
    disturb(world)
    look(world, DAY_14, "pricing_recommendations", days_late=31)
    assert (world.rows(WHAT_WAS_SAID), world.fingerprint("ml.replay_contents")) == before
    with world.connect() as connection:
        occasions = {1: Occasion(KEYS[0], "initial"), 2: Occasion(KEYS[1], "initial")}
        today = {row["recommendation_key"]: row for row in advise(connection, DAY_14, LATER, occasions).rows}
    empty(world)
    return world, today


def test_what_is_computed_again_is_identical_to_the_last_digit(a_month_later):
    world, today = a_month_later
    for key in KEYS:
        with world.connect() as connection:
            found = replay(connection, key)
            stored = connection.execute(
                "select reasoning from ml.pricing_recommendations where recommendation_key = %s", [key]
            ).fetchone()[0]
        assert (found.differences, found.other_versions) == ([], [])
        assert found.count_fields == 13
        data = stored["data"]
        assert (data["window_start"], data["window_end"], data["as_of"]) == ("2026-10-01", "2026-10-15", "2026-10-15")
        assert data["known_at"] == "2026-10-15T13:00:00+00:00"
        assert data["catalogue"] != today[key]["reasoning"]["data"]["catalogue"]
        assert today[key]["reasoning"]["usage"] != stored["usage"]  # what the marts say today is another story


def test_the_command_says_so_and_stores_nothing(a_month_later):
    world, _ = a_month_later
    before = world.fingerprint("ml.pricing_recommendations", "ml.recommendation_transitions", "ml.replay_contents")
    result = CliRunner().invoke(app, ["recommendations", "replay", "day-14:bolt"])
    assert (result.exit_code, result.output) == (0, "13 of 13 fields are the same.\n")
    assert world.fingerprint(*before) == before


def test_what_was_tampered_with_is_named(a_month_later):
    world, _ = a_month_later
    world.warehouse.execute(
        "update ml.pricing_recommendations set projected_savings = 1, reasoning = jsonb_set(reasoning,"
        " '{options,0,expected_cost}', '\"0.01\"') where recommendation_key = 'day-14:acme'"
    )
    result = CliRunner().invoke(app, ["recommendations", "replay", "day-14:acme", "--json"])
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert [(other["field"], other["stored"]) for other in found["differences"]] == [
        ("projected_savings", "1.00"),
        ("reasoning.options[0].expected_cost", "0.01"),
    ]


def test_other_definitions_are_told(a_month_later):
    world, _ = a_month_later
    world.warehouse.execute(
        "update ml.pricing_recommendations set versions = jsonb_set(versions, '{code,definitions}', '1')"
        " where recommendation_key = 'day-14:bolt'"
    )
    with world.connect() as connection:
        (other,) = replay(connection, "day-14:bolt").other_versions
    assert (other.field, other.stored) == ("definitions", 1)


def test_an_older_one_one_without_its_models_and_one_that_nobody_knows_are_errors(a_month_later):
    world, _ = a_month_later
    with world.connect() as connection:
        publish(connection, [row("day-14:old", 3)], LATER)
        with pytest.raises(NotReplayable, match="before inputs were stored"):
            replay(connection, "day-14:old")
        with pytest.raises(UnknownRecommendation):
            replay(connection, "day-14:nobody")
        with connection.transaction(force_rollback=True):
            connection.execute("delete from ml.replay_contents where kind = 'model'")
            with pytest.raises(ContentMissing, match="from a backup"):
                replay(connection, "day-14:bolt")


def test_what_several_share_is_stored_once(world):
    counts = dict(world.rows("select kind, count(*) from ml.replay_contents group by kind"))
    assert counts["catalogue"] == 1
    assert counts["model"] <= 5  # one for each meter, since both companies are of one kind


def test_differences_go_down_to_single_values():
    stored = {"a": {"x": [1, {"y": 2}], "z": 0}, "b": 1.5, "c": [1]}
    assert differences(stored, stored) == []
    assert differences(stored, {"a": {"x": [1, {"y": 3}], "w": 4, "z": 0}, "b": 1.5, "c": [1, 2]}) == [
        Difference("a.w", None, 4),
        Difference("a.x[1].y", 2, 3),
        Difference("c", [1], [1, 2]),
    ]
