"""Forecasts judged on one's own usage, on the command line."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from orchestration.cli import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["backtest", "forecast", *arguments], env={"COLUMNS": "200"})


@pytest.fixture
def usage(tmp_path):
    dates = pd.date_range("2026-06-01", "2026-10-31")
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "account": f"a{account}",
            "date": day,
            "meter": "calls",
            "quantity": random.poisson(30 if day.weekday() < 5 else 3),
        }
        for account in range(4)
        for day in dates
    )
    for name, write in {"usage.csv.gz": frame.to_csv, "usage.parquet": frame.to_parquet}.items():
        write(tmp_path / name, index=False)
    return tmp_path


def test_csv_and_parquet_give_the_same_figures(usage):
    found = [run("--usage", str(usage / name), "--json") for name in ("usage.csv.gz", "usage.parquet")]
    assert [result.exit_code for result in found] == [0, 0]
    first, second = (json.loads(result.stdout) for result in found)
    assert first == second
    assert first["cutoffs"] == ["2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30"]
    assert {row["model"] for row in first["accuracy"]} >= {"forecast", "experts", "seasonal_naive", "run_rate"}
    own = next(row for row in first["accuracy"] if row["model"] == "forecast")
    assert own["wape"] < 0.25
    assert 0.6 < own["coverage_80"] < 0.95
    assert {row["cutoff"] for row in first["by_cutoff"]} == set(first["cutoffs"])


def test_tables_show_every_model_and_cutoff(usage):
    result = run("--usage", str(usage / "usage.csv.gz"), "--cutoffs", "2", "--history", "14", "--history", "28")
    assert result.exit_code == 0, result.output
    for word in ("calls: 4 accounts by 14 days", "by 28 days", "2026-08-31", "2026-09-30", "last_four_same_weekdays"):
        assert word in result.stdout
    assert "2026-07-31" not in result.stdout


def test_what_is_wrong_is_said_in_a_sentence(usage, tmp_path):
    short = tmp_path / "short.csv"
    short.write_text("account,date,meter,quantity\na,2026-01-01,calls,1\n")
    result = run("--usage", str(short))
    assert result.exit_code == 1
    assert "short.csv: 1 days of usage; 28 of history and 30 ahead need as many together." in result.output
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("account,day,quantity\na,2026-01-01,1\n")
    assert "lacks the columns date, meter" in run("--usage", str(wrong)).output
    assert run("--usage", str(tmp_path / "none.csv")).exit_code == 2


def test_where_nobody_used_anything_there_is_a_reason(tmp_path):
    days = pd.date_range("2026-06-01", "2026-10-31")
    pd.DataFrame({"account": "a", "date": days, "meter": "calls", "quantity": 0}).to_csv(tmp_path / "zero.csv")
    result = run("--usage", str(tmp_path / "zero.csv"), "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["accuracy"] == []
    assert found["reason"].startswith("None of the 1 accounts was there for 28 days before a cut-off and used anything")
    assert "nothing to judge" in run("--usage", str(tmp_path / "zero.csv")).output
