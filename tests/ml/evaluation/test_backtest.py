from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.evaluation.backtest import CHOSEN, accuracy, backtest, check_usage, choose_cutoffs
from tests.ml.analysis.forecasting.series import noisy

DATA = Path(__file__).parents[4] / "shared/data"
BANK, BIKES = DATA / "anonymous_bank_1999/counts_6min_1999.csv.gz", DATA / "bay_area_bikeshare_2014/trips.csv.gz"
BASELINE = "last_four_same_weekdays"
needs_data = pytest.mark.skipif(not BIKES.exists(), reason="the real series are not beside the checkout")


def table(quantity: np.ndarray, last: str = "2026-10-31", meter: str = "calls") -> pd.DataFrame:
    dates = pd.date_range(end=last, periods=quantity.shape[1])
    frame = pd.DataFrame(quantity, index=[f"a{row}" for row in range(len(quantity))], columns=dates)
    return (
        frame.rename_axis("account")
        .melt(ignore_index=False, var_name="date", value_name="quantity")
        .reset_index()
        .assign(meter=meter)
    )


def test_rows_are_added_up_before_they_are_divided():
    sums = backtest(table(noisy(6, 150)), [28], 30, [date(2026, 9, 1), date(2026, 10, 1)])
    found, single = accuracy(sums).set_index("model"), accuracy(sums, ("cutoff", "model"))
    rows = sums[sums["model"] == BASELINE]
    assert found.loc[BASELINE, "wape"] == pytest.approx(rows["error"].sum() / rows["usage"].sum())
    assert found.loc[BASELINE, "count_cutoffs"] == 2
    assert len(single) == 2 * found.index.nunique()
    assert np.isnan(found.loc[BASELINE, "coverage_80"])
    assert 0.6 < found.loc[CHOSEN, "coverage_80"] < 0.95


def test_what_was_forecast_does_not_change_when_usage_at_or_after_the_cutoff_does():
    usage, cutoff = table(noisy(6, 150)), date(2026, 10, 1)
    later = usage["date"] >= pd.Timestamp(cutoff)
    silent = usage.assign(quantity=usage["quantity"].where(~later, 0.0))
    # Against nothing, the sum of errors is the sum of what was forecast; against far more, what is missing from it.
    flooded = usage.assign(quantity=usage["quantity"].where(~later, 1e6))
    errors = [backtest(frame, [28], 30, [cutoff]).groupby("model")["error"].sum() for frame in (silent, flooded)]
    assert errors[0].to_numpy() == pytest.approx((6 * 30 * 1e6 - errors[1]).to_numpy(), rel=1e-6)


def test_an_account_that_is_too_young_or_silent_is_not_judged():
    quantity = noisy(4, 100) + 1
    usage = table(quantity)
    usage = usage[(usage["account"] != "a1") | (usage["date"] > pd.Timestamp("2026-09-15"))]
    usage.loc[(usage["account"] == "a2"), "quantity"] = 0
    sums = backtest(usage, [28], 30, [date(2026, 10, 1)])
    assert sums[sums["model"] == CHOSEN]["series"].sum() == 2
    assert sums["total_series"].max() == 4


def test_cutoffs_are_the_last_ends_of_months_that_fit():
    usage = table(noisy(1, 365), last="2026-12-31")
    assert choose_cutoffs(usage, 28, 30, 2) == [date(2026, 11, 1), date(2026, 12, 1)]
    short = table(noisy(1, 60), last="2026-10-20")
    assert choose_cutoffs(short, 28, 30, 4) == [date(2026, 9, 21)]
    with pytest.raises(ValueError, match="57 days of usage; 28 of history and 30 ahead"):
        choose_cutoffs(table(noisy(1, 57)), 28, 30, 4)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("quantity", "many", "row 2 has the quantity 'many' .one of 1"),
        ("quantity", -1, "row 2 .* quantity -1"),
        ("quantity", None, "row 2 .* quantity None"),
        ("quantity", np.inf, "row 2 .* quantity inf"),
        ("date", "2026-02-30", "row 2 .* date '2026-02-30'"),
        ("date", 20260201, "row 2 .* date 20260201"),
        ("date", "01/02/2026", "row 2 .* date '01/02/2026'"),
        ("account", None, "row 2 .* account None"),
        ("meter", " ", "row 2 .* meter ' '"),
    ],
)
def test_a_wrong_cell_is_named(column, value, message):
    usage = pd.DataFrame(
        {"account": ["a", "b"], "date": ["2026-02-01"] * 2, "meter": "m", "quantity": [1, 2]}, dtype=object
    )
    usage.loc[1, column] = value
    with pytest.raises(ValueError, match=message):
        check_usage(usage)


def test_numbers_are_named_as_people_write_them():
    usage = pd.DataFrame({"account": ["a", "b"], "date": "2026-02-01", "meter": "m", "quantity": [1, -1]})
    with pytest.raises(ValueError, match="row 2 has the quantity -1 "):
        check_usage(usage)


def test_days_are_those_that_are_written_whatever_the_offset():
    written = ["2026-03-28T23:30:00+01:00", "2026-03-29T23:30:00+02:00", "2026-03-30", "2026-03-31 05:00"]
    found = check_usage(pd.DataFrame({"account": 1, "date": written, "meter": "m", "quantity": "2"}))
    assert found["date"].dt.strftime("%m-%d").tolist() == ["03-28", "03-29", "03-30", "03-31"]
    assert found["account"].tolist() == ["1"] * 4
    zoned = pd.to_datetime(pd.Series(["2026-03-29 00:30"])).dt.tz_localize("Europe/Berlin")
    frame = pd.DataFrame({"account": ["a"], "date": zoned, "meter": "m", "quantity": [1]})
    assert check_usage(frame)["date"].dt.strftime("%m-%d").tolist() == ["03-29"]


def test_missing_columns_and_an_empty_table_are_refused():
    with pytest.raises(ValueError, match="lacks the columns date, meter"):
        check_usage(pd.DataFrame({"account": ["a"], "quantity": [1]}))
    with pytest.raises(ValueError, match="no rows"):
        check_usage(pd.DataFrame(columns=["account", "date", "meter", "quantity"]))


def real_usage(name: str) -> pd.DataFrame:
    if name == "bank":
        counts = pd.read_csv(BANK, parse_dates=["interval_start"])
        found = counts.groupby(counts["interval_start"].dt.normalize())["calls"].sum()
        return pd.DataFrame({"account": "bank", "date": found.index, "meter": "calls", "quantity": found.to_numpy()})
    trips = pd.read_csv(BIKES, usecols=["start_date", "start_terminal"], parse_dates=["start_date"])
    keys = [trips["start_terminal"].astype(str).rename("account"), trips["start_date"].dt.normalize().rename("date")]
    return trips.groupby(keys).size().rename("quantity").reset_index().assign(meter="sessions")


@needs_data
@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "days", "auto_ets_mase", "ratio", "covered"),
    [
        ("bank", 28, 1.3773, 0.95, (0.70, 0.90)),
        ("bank", 56, 1.0778, 1, (0.70, 0.90)),
        ("bank", 90, 0.9853, 1, (0.70, 0.90)),
        ("bikes", 28, 1.0321, 0.95, (0.75, 0.85)),
        ("bikes", 56, 0.9390, 1, (0.75, 0.85)),
        ("bikes", 90, 0.9482, 1, (0.75, 0.85)),
    ],
)
def test_real_series_are_forecast_better_than_by_rules_and_by_auto_ets(name, days, auto_ets_mase, ratio, covered):
    """The MASE of AutoETS (statsforecast 2.1) was measured on the same windows: see the benchmark of forecasts."""
    usage = check_usage(real_usage(name))
    year = usage["date"].min().year
    cutoffs = [date(year, month, 1) for month in (9, 10, 11, 12)]
    found = accuracy(backtest(usage, [days], 30, cutoffs)).set_index("model")
    assert found.loc[CHOSEN, "count_cutoffs"] == 4
    assert found.loc[CHOSEN, "wape"] <= 0.95 * found.loc[BASELINE, "wape"]
    assert found.loc[CHOSEN, "mase"] <= ratio * auto_ets_mase
    assert covered[0] <= found.loc[CHOSEN, "coverage_80"] <= covered[1]
