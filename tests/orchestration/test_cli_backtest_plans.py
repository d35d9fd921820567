"""The choice of plans judged on one's own usage, on the command line."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ml.recommendation.choosers.outcomes import LAST_MONTH, SCENARIOS
from ml.recommendation.choosers.policy import Policy, learn_policy
from orchestration.cli import app
from tests.ml.recommendation.choosers.world import drifting, long_table

HEAD = "version: 1, currency: EUR, option: standard, valid_from: 2024-01-01"
PRICES = f"""
plans:
  - {{plan_key: flat, name: Flat, {HEAD}, monthly_base_fee: "100",
     charges: [{{model: per_unit, meter: call_seconds, per: 60, unit_price: "0"}}]}}
  - {{plan_key: metered, name: Metered, {HEAD},
     charges: [{{model: per_unit, meter: call_seconds, per: 60, unit_price: "1"}}]}}
  - {{plan_key: booked, name: Booked, {HEAD}, charges: [{{model: per_unit, meter: appointments, unit_price: "1"}}]}}
"""
TOTALS = ["recommended_gated", "recommended_ungated", "stay", "best_single_plan", "last_month", "scenarios"]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["backtest", "plans", *arguments], env={"COLUMNS": "200"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("usage")
    usage = long_table(drifting(8, 150))
    usage.to_csv(folder / "usage.csv.gz", index=False)
    usage.to_parquet(folder / "usage.parquet")
    named = {"named.csv": "flat", "gold.csv": "gold"}
    for name, plan in named.items():
        usage.assign(current_plan=plan).to_csv(folder / name, index=False)
    usage.assign(meter="cats").to_csv(folder / "cats.csv", index=False)
    usage.assign(quantity=0).to_csv(folder / "zero.csv", index=False)
    usage[usage["date"] > "2026-10-01"].to_csv(folder / "short.csv", index=False)
    (folder / "prices.yaml").write_text(PRICES)
    (folder / "wrong.yaml").write_text("plans: [{plan_key: x}]")
    return folder


def judged(folder, name, *arguments):
    result = run("--usage", str(folder / name), "--catalogue", str(folder / "prices.yaml"), "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_csv_and_parquet_give_the_same_figures(folder):
    found = judged(folder, "usage.csv.gz", "--history", "14", "--history", "28", "--scale", "800")
    assert found == judged(folder, "usage.parquet", "--history", "28", "--history", "14", "--scale", "800")
    assert (found["plans"], found["currency"], found["meter"]) == (["flat", "metered"], "EUR", "call_seconds")
    assert found["not_compared"] == {"booked": "charges appointments, which the table lacks"}
    assert found["current_plan"] == "cheapest_before"
    short, long = found["histories"]
    assert (short["history_days"], long["history_days"]) == (14, 28)
    assert long["cutoffs"] == ["2026-07-31", "2026-08-31", "2026-09-30"]
    assert [row["chooser"] for row in long["regret"]] == TOTALS
    assert {row["cutoff"] for row in long["by_cutoff"]} == {row["cutoff"] for row in long["policies"]}
    assert {row["cutoff"] for row in long["policies"]} == set(long["cutoffs"])
    assert [row["decile"] for row in long["reliability"]] == list(range(1, 11))
    assert long["reliability"][0]["observed_frequency"] is None
    assert long["calibration_error"] is None
    assert {row["segment"] for row in long["winners"]} == {row["segment"] for row in long["trade_offs"]}
    assert Policy.of({name: long["policies"][0][name] for name in Policy.__dataclass_fields__}) == learn_policy(
        (), (LAST_MONTH, SCENARIOS)
    )
    assert long["factor"] != short["factor"]


def test_tables_say_what_was_compared_and_came_out(folder):
    result = run(
        "--usage",
        str(folder / "usage.csv.gz"),
        "--catalogue",
        str(folder / "prices.yaml"),
        "--cutoffs",
        "2",
        "--scale",
        "x2",
    )
    assert result.exit_code == 0, result.output
    for words in (
        "Compared: flat, metered. Not compared: booked (charges appointments, which the table lacks).",
        "The plan held is the cheapest of the 30 days before the history.",
        "28 days of history; cases: 16, cut-offs: 2; usage times 2; EUR",
        "ungated",
        "best single",
        "not shown",
        "Expected calibration error: not shown",
        "gate: least probability",
        "2026-09-30",
    ):
        assert words in result.stdout
    assert "2026-07-31" not in result.stdout
    assert "Choosing plans" not in result.stdout


def test_a_named_plan_is_what_staying_costs(folder):
    found = judged(folder, "named.csv", "--cutoffs", "1")
    assert found["current_plan"] == "named"
    flat = found["histories"][0]
    assert flat["cutoffs"] == ["2026-09-30"]
    rows = {row["chooser"]: row for row in flat["regret"]}
    usage = 8 * 100 - np.minimum(drifting(8, 150)[:, -31:-1].sum(axis=1), 100).sum()
    assert rows["stay"]["mean_regret"] == pytest.approx(usage / 8)


def test_the_delivered_price_list_is_taken_where_none_is_given(folder):
    result = run("--usage", str(folder / "usage.csv.gz"), "--cutoffs", "1")
    assert result.exit_code == 0, result.output
    assert "Compared: volumen, hybrid, flatrate. Not compared: " in result.stdout
    assert "combined, combined-usd and 6 more (charges appointments, which the table lacks)" in result.stdout


@pytest.mark.parametrize(
    ("usage", "arguments", "code", "message"),
    [
        ("gold.csv", [], 1, "gold.csv: current_plan is 'gold'; the plans compared are flat, metered"),
        ("cats.csv", [], 1, "cats.csv: no meter of the table (cats) is one of a price list"),
        ("zero.csv", [], 1, "zero.csv: none of the 8 accounts was there for the 28 days before a cut-off"),
        ("short.csv", [], 1, "short.csv: 30 days of usage; 28 of history, 30 before it"),
        ("usage.csv.gz", ["--scale", "much"], 2, "is no scale"),
        ("usage.csv.gz", ["--horizon", "90"], 2, "--horizon"),
        ("usage.csv.gz", ["--catalogue", "wrong.yaml"], 1, "plan x"),
        ("none.csv", [], 2, "does not exist"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(folder, usage, arguments, code, message):
    catalogue = [
        str(folder / name) if name.endswith("yaml") else name for name in ["--catalogue", "prices.yaml", *arguments]
    ]
    result = run("--usage", str(folder / usage), *catalogue)
    assert result.exit_code == code
    assert message in result.output
    assert "Traceback" not in result.output
