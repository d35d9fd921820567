import numpy as np
import pandas as pd
import pytest

from ml.evaluation.backtest import check_usage
from ml.evaluation.plan_usage import comparable_plans, held_by_cost, held_by_name, main_meter, plan_usage
from ml.recommendation.choosers.cases import NOT_KNOWN
from tests.ml.rating.price_lists import per_unit, plan
from tests.ml.recommendation.choosers.world import SECONDS, fee_or_use, long_table

FLAT, METERED = 0, 1


def rows(*given):
    return check_usage(pd.DataFrame(given, columns=["account", "date", "meter", "quantity"]))


def test_meters_are_known_by_either_name_and_their_units_are_kept():
    usage = plan_usage(
        rows(("a", "2026-01-01", "minutes", 2), ("a", "2026-01-01", "call_seconds", 3), ("a", "2026-01-03", "cats", 1))
    )
    assert list(usage.histories) == [SECONDS]
    assert usage.histories[SECONDS].quantity.tolist() == [[123, 0, 0]]
    assert plan_usage(rows(("a", "2026-01-01", "minutes", 2))).units == {SECONDS: 60}
    assert plan_usage(rows(("a", "2026-01-01", "seconds", 2))).units == {SECONDS: 1}


def test_a_table_without_a_meter_that_is_priced_is_refused():
    with pytest.raises(ValueError, match=r"no meter of the table \(cats, dogs\) .* use .*call_seconds.*minutes"):
        plan_usage(rows(("a", "2026-01-01", "dogs", 2), ("a", "2026-01-01", "cats", 2)))


def test_an_account_is_there_from_its_first_row_on():
    usage = plan_usage(
        rows(
            ("b", "2026-01-02", "minutes", 1),
            ("a", "2026-01-01", "appointments", 1),
            ("a", "2026-01-04", "minutes", 1),
            ("b", "2026-01-02", "minutes", 1),
        )
    )
    assert usage.accounts == ("a", "b")
    assert usage.histories["appointments"].observed.tolist() == [[True] * 4, [False, True, True, True]]
    assert usage.histories[SECONDS].quantity.tolist() == [[0, 0, 0, 60], [0, 120, 0, 0]]
    assert usage.last.isoformat() == "2026-01-04"
    assert usage.age_of(usage.last) == 1


def test_all_usage_is_multiplied():
    usage = plan_usage(long_table(np.array([[1.0, 2]])))
    assert usage.times(2.5).histories[SECONDS].quantity.tolist() == [[150, 300]]
    assert usage.times(2.5).units == usage.units


def test_only_plans_that_charge_what_the_table_holds_are_compared():
    minutes = per_unit(SECONDS, "0.1", per=60)
    plans = [
        plan("old", minutes, monthly_base_fee=1),
        plan("old", minutes, version=2, monthly_base_fee=2),
        plan("free-extra", minutes, per_unit("appointments", "0")),
        plan("charged-extra", minutes, per_unit("appointments", "1", included=50)),
        plan("other", per_unit("leads", "1")),
        plan("dollars", minutes, currency="USD"),
        plan("other-product", minutes, product="else"),
        plan("gone", minutes, is_sellable=False),
        plan("trial", minutes, is_trial=True, is_sellable=False),
        plan("daily", {"model": "per_unit_per_bucket", "meter": SECONDS, "bucket": "day", "unit_price": "1"}),
    ]
    kept, reasons = comparable_plans(plans, [SECONDS])
    assert [(one.plan_key, one.version) for one in kept] == [("old", 2), ("free-extra", 1)]
    assert reasons == {
        "charged-extra": "charges appointments, which the table lacks",
        "other": "charges leads, which the table lacks",
        "dollars": "is in USD",
        "other-product": "is another product",
        "gone": "is not on sale",
        "trial": "is not on sale",
        "daily": "has a price that depends on single events or hours",
    }
    assert comparable_plans(plans[4:5], ["leads"])[0] == plans[4:5]
    assert comparable_plans([], [SECONDS]) == ([], {})


def test_the_main_meter_is_the_one_that_most_plans_charge():
    usage = plan_usage(rows(("a", "2026-01-01", "minutes", 2), ("a", "2026-01-01", "appointments", 3)))
    plans = [plan("one", per_unit(SECONDS, "1")), plan("both", per_unit(SECONDS, "1"), per_unit("appointments", "1"))]
    assert main_meter(usage, plans) == SECONDS
    assert main_meter(usage, plans[1:]) == "appointments"


def test_without_a_name_the_plan_held_was_the_cheapest_of_the_30_days_before_the_history():
    minutes = np.zeros((3, 90))
    minutes[0, 2:32] = 4
    minutes[1, 2:32] = 3
    minutes[:, :2] = minutes[:, 32:] = 50
    table = long_table(minutes)
    usage = plan_usage(
        table[(table["account"] != "a2") | (table["date"] >= table["date"].min() + pd.Timedelta(days=3))]
    )
    held = held_by_cost(usage, fee_or_use(100), 28)
    # 30 days at 4 minutes are 120, at 3 they are 90; the last account was there on 29 of them.
    assert held(30).tolist() == [FLAT, METERED, NOT_KNOWN]
    assert held(90 - 28 - 29).tolist() == [NOT_KNOWN] * 3


def test_a_named_plan_is_the_last_one_before_the_instant():
    table = long_table(np.ones((3, 6)))
    named = table.assign(current_plan=None)
    for account, day, key in ((0, 0, "flat"), (0, 3, "metered"), (1, 2, "metered")):
        date = table["date"].min() + pd.Timedelta(days=day)
        named.loc[(named["account"] == f"a{account}") & (named["date"] == date), "current_plan"] = key
    held = held_by_name(plan_usage(table), fee_or_use(100), named)
    assert [held(age).tolist() for age in (6, 5, 3, 2, 0)] == [
        [NOT_KNOWN, NOT_KNOWN, NOT_KNOWN],
        [FLAT, NOT_KNOWN, NOT_KNOWN],
        [FLAT, METERED, NOT_KNOWN],
        [METERED, METERED, NOT_KNOWN],
        [METERED, METERED, NOT_KNOWN],
    ]


def test_a_named_plan_that_is_not_compared_is_refused():
    table = long_table(np.ones((1, 6))).assign(current_plan="gold")
    with pytest.raises(ValueError, match="current_plan is 'gold'; the plans compared are flat, metered"):
        held_by_name(plan_usage(table), fee_or_use(100), table)
