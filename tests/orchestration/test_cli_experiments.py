"""Experiments on the command line."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from orchestration.cli import app
from tests.orchestration.experiment_world import BEGIN, DECLARED, MARTS, add_companies, decide

EXAMPLE = Path(__file__).parents[2] / "ml/experiments/examples/price_points.yaml"


def experiments(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["experiments", *arguments], env={"COLUMNS": "200"})


def said(*arguments: str) -> str:
    result = experiments(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def design_file(tmp_path: Path) -> Callable[..., str]:
    def write(**override) -> str:
        path = tmp_path / "design.yaml"
        path.write_text(yaml.safe_dump(DECLARED | override))
        return str(path)

    return write


def test_a_plan_says_what_the_test_needs_and_when_it_may_stop():
    rows = [re.split(r"\s{2,}", line.strip()) for line in said("plan", str(EXAMPLE)).splitlines()]
    assert rows[:3] == [
        ["Overage of 0.10 instead of 0.12 in the hybrid plan"],
        ["companies", "356, half of them with each variant"],
        ["days", "189 or more; the last look is taken on day 378 at the latest"],
    ]
    assert rows[-5:] == [
        ["look 1", "at 72 companies, stops at |z| >= 4.88"],
        ["look 2", "at 143 companies, stops at |z| >= 3.36"],
        ["look 3", "at 214 companies, stops at |z| >= 2.68"],
        ["look 4", "at 285 companies, stops at |z| >= 2.29"],
        ["look 5", "at 356 companies, stops at |z| >= 2.03"],
    ]


def test_what_is_wrong_with_a_design_is_said_at_once(design_file, tmp_path):
    result = experiments("plan", design_file(metrics=["clicks"], looks=0))
    assert result.exit_code == 1
    assert "experiment, looks: 0 is too small; it must be 1 or more" in result.stderr
    listed = tmp_path / "listed.yaml"
    listed.write_text("- a list")
    assert "listed.yaml is no design" in experiments("plan", str(listed)).output


def test_an_experiment_from_its_plan_to_its_end(pipeline, design_file):
    with pipeline.connect() as connection:
        connection.execute(MARTS)
        add_companies(connection, 0, 120)
    assert said("list") == "There is no experiment.\n"
    pipeline.set_clock(BEGIN)
    assert said("create", design_file()) == "cheaper is planned.\n"
    assert said("create", design_file()) == "cheaper was planned before; nothing changed.\n"
    assert "cheaper is active, with 120 companies" in said("start", "cheaper")
    assert said("look", "cheaper") == (
        "0 companies joined; 0 with a and 0 with b are counted.\nNo look is due, so nothing was read.\n"
    )
    with pipeline.connect() as connection:
        decide(connection, {"a": 2, "b": 8})
    pipeline.set_clock(BEGIN + timedelta(days=30))
    found = said("look", "cheaper")
    assert "60 with a and 60 with b are counted." in found
    assert re.search(
        r"b - a = 0\.6000 \(0\.\d{4} to 0\.\d{4}\), p = 0\.000000\. It has ended: b wins, with p = 0\.\d{6} for", found
    )
    assert re.search(r"cheaper.+completed.+2026-11-10.+2026-12-10.+120.+1.+b.+0\.00000\d", said("list"))
    refused = experiments("stop", "cheaper")
    assert (refused.exit_code, refused.stderr) == (
        1,
        "cheaper: an experiment that is completed can't become cancelled; it may become nothing else any more\n",
    )
