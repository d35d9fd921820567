"""Recommendations on the command line."""

import json
from datetime import datetime

import pytest
from typer.testing import CliRunner, Result

from integrations.events.landing import LandingFile, load_file
from orchestration.catalogue import PRICES
from orchestration.cli import app
from orchestration.lifecycle import publish
from tests.feeds import PLANS
from tests.orchestration.test_lifecycle import EXPIRES_AT, NOW, row

OPTIONS = [
    {
        "plan_key": key,
        "plan_version": 1,
        "is_current": key == "per_minute",
        "is_recommended": key == "combined",
        "expected_cost": cost,
        "p10_cost": "50.00",
        "p90_cost": "150.00",
        "probability_cheaper": 0.9,
    }
    for key, cost in (("combined", "80.00"), ("per_minute", "1092.50"))
]
AUDIT = """
    select to_status, actor, reason from ml.recommendation_transitions
    where recommendation_key = 'day-14:acme' order by at, from_status nulls first
"""


@pytest.fixture
def world(pipeline, tmp_path):
    """Two companies, one advised to switch and one to stay."""
    plans = tmp_path / "plans.yaml"
    plans.write_text(PLANS)
    pipeline.set_clock(NOW)
    with pipeline.connect() as connection:
        load_file(connection, LandingFile("plans", plans), NOW, PRICES)
        ids = dict(connection.execute("select plan_key, plan_id from raw.plans").fetchall())
        connection.execute("insert into raw.company_ids (company_key) values ('acme'), ('bolt')")
        switch = row(
            current_plan_id=ids["per_minute"], recommended_plan_id=ids["combined"], reasoning={"options": OPTIONS}
        )
        stay = row(
            "day-14:bolt", 2, current_plan_id=ids["combined"], recommended_plan_id=ids["combined"], action="stay"
        )
        publish(connection, [switch, stay], NOW)
    return pipeline


@pytest.fixture
def invoke(world):
    def invoke(*arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["recommendations", *arguments])

    return invoke


def test_the_list_names_plans_savings_and_ends(invoke):
    listed = invoke("list").output.splitlines()
    assert [line.split()[:6] for line in listed[1:]] == [
        ["day-14:acme", "pending", "per_minute", "v1", "combined", "v1"],
        ["day-14:bolt", "pending", "combined", "v1", "stay", "€12.00"],
    ]
    assert "2026-11-14 12:00 UTC" in listed[1]
    assert "day-14:acme" not in invoke("list", "--company", "bolt").output
    assert invoke("list", "--status", "accepted").output == "There is no such recommendation.\n"


def test_a_status_that_does_not_exist_is_refused_with_those_that_do(invoke):
    result = invoke("list", "--status", "lost")
    assert (result.exit_code, "accepted" in result.output) == (2, True)


def test_to_show_one_changes_nothing_and_to_view_it_does(invoke, world):
    shown = invoke("show", "day-14:acme").output
    assert "per_minute v1 (now)" in shown
    assert "€1,092.50" in shown
    assert "2026-10-15 12:00 UTC: pending, by pipeline" in shown
    assert world.rows(AUDIT) == [("pending", "pipeline", None)]
    assert "viewed, by ann" in invoke("view", "day-14:acme", "--actor", "ann").output
    assert world.rows(AUDIT)[1:] == [("viewed", "ann", None)]


def test_accepting_prints_the_line_that_would_change_the_subscription_and_changes_none(invoke, world):
    result = invoke("accept", "day-14:acme", "--actor", "ann", "--reason", "cheaper")
    assert result.output.splitlines() == [
        "day-14:acme is accepted.",
        "The subscription does not change by this. When it is to, land this line in subscriptions/:",
        '{"company": "acme", "plan": "combined", "plan_version": 1, "valid_from": "2026-10-15T12:00:00+00:00"}',
    ]
    assert world.rows(AUDIT)[1:] == [("accepted", "ann", "cheaper")]
    assert world.value("select count(*) from raw.subscriptions") == 0
    assert invoke("accept", "day-14:bolt").output == "day-14:bolt is accepted.\n"


def test_without_an_actor_it_is_whoever_is_logged_in(invoke, world, monkeypatch):
    monkeypatch.setenv("LOGNAME", "carol")
    assert invoke("reject", "day-14:acme").output == "day-14:acme is rejected.\n"
    assert world.rows(AUDIT)[1:] == [("rejected", "carol", None)]


@pytest.mark.parametrize(("command", "sentence"), [
    ("accept", "day-14:acme can't be accepted: it is rejected already (by ann, 2026-10-15 12:00 UTC)."),
    ("reject", "day-14:acme can't be rejected: it is rejected already (by ann, 2026-10-15 12:00 UTC)."),
])  # fmt: skip
def test_a_second_decision_is_an_error(invoke, command, sentence):
    invoke("reject", "day-14:acme", "--actor", "ann")
    result = invoke(command, "day-14:acme")
    assert (result.exit_code, result.output) == (1, sentence + "\n")


def test_a_decision_after_the_end_is_an_error_and_leaves_it_expired(invoke, world):
    world.set_clock(EXPIRES_AT)
    result = invoke("accept", "day-14:acme")
    assert (result.exit_code, "its time ran out at 2026-11-14 12:00 UTC" in result.output) == (1, True)
    assert "expired" in invoke("show", "day-14:acme").output


@pytest.mark.parametrize("command", ["show", "view", "accept", "reject"])
def test_a_key_that_nobody_knows_is_an_error_that_says_where_keys_are(invoke, command):
    result = invoke(command, "day-14:nobody")
    assert (result.exit_code, "recommendations list" in result.output) == (1, True)


def test_json_is_for_programs(invoke):
    first, _ = json.loads(invoke("list", "--json").output)
    assert (first["recommendation_key"], first["projected_savings"]) == ("day-14:acme", "12.00")
    assert datetime.fromisoformat(first["expires_at"]) == EXPIRES_AT
    shown = json.loads(invoke("view", "day-14:acme", "--json").output)
    assert [step["to_status"] for step in shown["transitions"]] == ["pending", "viewed"]
    assert shown["reasoning"]["options"] == OPTIONS
    accepted = json.loads(invoke("accept", "day-14:acme", "--json").output)
    assert (accepted["status"], accepted["subscription_line"]["plan"]) == ("accepted", "combined")
    assert json.loads(invoke("reject", "day-14:bolt", "--json").output)["subscription_line"] is None


@pytest.mark.parametrize("command", ["list", "show", "view", "accept", "reject", "replay"])
def test_every_command_has_an_example(command):
    result = CliRunner().invoke(app, ["recommendations", command, "--help"])
    assert f"usage-pricing recommendations {command}" in " ".join(result.output.split())
