"""What a month would cost, on the command line."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli import app
from tests.feeds import PLANS


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments], env={"COLUMNS": "200"})


def table(*arguments: str) -> list[list[str]]:
    """The cells of each row, the title left out."""
    result = simulate(*arguments)
    assert result.exit_code == 0, result.output
    return [re.split(r"\s{2,}", line.strip()) for line in result.stdout.splitlines()[1:]]


def refusal(*arguments: str) -> str:
    result = simulate(*arguments)
    assert result.exit_code == 2
    return re.sub(r"[\s│]+", " ", result.output)


def test_a_month_is_shown_line_by_line_and_sums_up():
    assert table("--plan", "per_minute", "--minutes", "1375", "--appointments", "174") == [
        ["charge", "quantity", "tier", "price", "amount"],
        ["base_fee", "1 month", "€49.00 per month", "€49.00"],
        ["call_seconds", "500 minutes", "included"],
        ["875 minutes", "€0.15 per minute", "€131.25"],
        ["appointments", "174 appointments", "€2.00 per appointment", "€348.00"],
        ["total", "€528.25"],
    ]


def test_each_tier_is_shown_with_its_price():
    assert table("--plan", "volumen-usd", "--minutes", "1200.5")[1:] == [
        ["call_seconds", "500 minutes", "1", "$0.15 per minute"],
        ["500 minutes", "2", "$0.12 per minute"],
        ["200.5 minutes", "3", "$0.10 per minute", "$155.05"],
        ["appointments", "0 appointments", "$0.00"],
        ["total", "$155.05"],
    ]


def test_as_json_the_same_bill_is_exact_and_nothing_else_is_printed():
    result = simulate(
        "--plan", "per_minute", "--minutes", "1375", "--appointments", "174", "--usage", "leads=1", "--json"
    )
    bill = json.loads(result.stdout)
    assert (bill["plan_key"], bill["version"], bill["currency"], bill["total"]) == ("per_minute", 1, "EUR", "528.25")
    assert [(line["charge"], line["quantity"], line["amount"]) for line in bill["lines"]] == [
        ("base_fee", "1", "49.00"),
        ("call_seconds", "82500", "131.25"),
        ("appointments", "174", "348.00"),
    ]
    assert bill["lines"][1]["steps"][1] == {
        "quantity": "52500",
        "unit_price": "0.15",
        "per": 60,
        "flat_fee": "0",
        "tier": None,
        "kind": "usage",
    }
    assert result.stderr == "The plan does not charge leads.\n"


def test_a_plan_by_time_of_day_says_which_usage_it_needs_and_takes_it():
    sentence = (
        "plan zeitbasiert prices minutes by the time of day; instead give --usage after_hours_call_seconds=SECONDS"
    )
    both = f"{sentence} --usage business_hours_call_seconds=SECONDS"
    assert both in refusal("--plan", "zeitbasiert", "--minutes", "100")
    assert both in refusal("--plan", "zeitbasiert", "--usage", "call_seconds=6000")
    one = ["--usage", "call_seconds=6000", "--usage", "business_hours_call_seconds=6000"]
    assert sentence in refusal("--plan", "zeitbasiert", *one)
    parts = ["--usage", "business_hours_call_seconds=6000", "--usage", "after_hours_call_seconds=3000"]
    assert table("--plan", "zeitbasiert", *parts)[-1] == ["total", "€26.50"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--plan", "per_minut"], "no plan is called per_minut; did you mean per_minute or per_minute-usd"),
        (["--plan", "x"], "no plan is called x; use one of volumen, hybrid, flatrate"),
        (["--plan", "hybrid", "--minutes", "-1"], "'-1' is no number of 0 or more; write it like 1375"),
        (["--plan", "hybrid", "--minutes", "nan"], "'nan' is no number of 0 or more"),
        (["--plan", "hybrid", "--usage", "call_second=1"], "no meter is called call_second; did you mean call_seconds"),
        (["--plan", "hybrid", "--usage", "leads"], "leads is no pair; write it like leads=5"),
        (["--plan", "hybrid", "--usage", "leads=1", "--usage", "leads=2"], "leads is given twice; give it once"),
        (["--plan", "hybrid", "--minutes", "1", "--usage", "call_seconds=60"], "call_seconds is given by --usage, too"),
        (["--plan", "hybrid", "--add-on", "desk=1.5"], "'1.5' is no whole number of 0 or more"),
        (["--plan", "hybrid", "--add-on", "desk=1"], "add_ons.desk: plan hybrid v1 has no such add-on; use none"),
        (["--plan", "hybrid", "--yearly"], "billing_interval: plan hybrid v1 can't be paid by the year"),
    ],
)
def test_a_question_that_makes_no_sense_gets_a_sentence(arguments: list[str], sentence: str):
    assert sentence in refusal(*arguments)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    newer = PLANS.replace("version: 1", "version: 2", 1).replace('"49.00"', '"100"').removeprefix("\nplans:\n")
    offers = '    annual: {discount_percent: 10}\n    add_ons: [{key: desk, name: Desk, monthly_fee: "7.50"}]\n'
    path = tmp_path / "prices.yaml"
    path.write_text(PLANS + newer.split("  - plan_key: combined")[0].replace("    charges:", offers + "    charges:"))
    return path


def test_the_newest_version_of_another_price_list_counts_with_add_ons_and_the_annual_discount(prices: Path):
    rows = table("--plan", "per_minute", "--catalogue", str(prices), "--add-on", "desk=2", "--yearly")
    assert rows[1:4] == [
        ["base_fee", "1 month", "€100.00 per month"],
        ["discount", "-€10.00", "€90.00"],
        ["add_on:desk", "2 units", "€7.50 per unit", "€15.00"],
    ]
    assert rows[-1] == ["total", "€105.00"]


def test_a_price_list_that_cannot_be_loaded_says_why(prices: Path):
    prices.write_text(PLANS.replace('"0.15"', '"-1"'))
    result = simulate("--plan", "per_minute", "--catalogue", str(prices))
    assert result.stderr == (
        "prices.yaml: plan per_minute v1, charges[0].unit_price: -1 is too small; it must be 0 or more\n"
    )
    assert result.exit_code == 1
