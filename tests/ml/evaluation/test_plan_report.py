import numpy as np
import pandas as pd
import pytest

from ml.evaluation.plan_report import PlanOptions, report_plans
from ml.evaluation.plan_scale import Scale
from ml.recommendation.choosers.policy import PROBABILITIES, SAVING_SHARES, Policy
from tests.ml.recommendation.choosers.world import STEEP, drifting, fee_or_use, long_table


def report(minutes, plans=STEEP, progress=lambda _: None, current_plan=None, **options):
    named = {} if current_plan is None else {"current_plan": current_plan}
    return report_plans(long_table(minutes, **named), plans, PlanOptions(**options), progress)


@pytest.fixture(scope="module")
def found():
    return report(drifting(60, 240))


def test_cutoffs_are_all_firsts_of_months_that_leave_room(found):
    # The first day is 2026-03-06: 58 days later it is May, 28 days later April. The last cut-off leaves 30 days.
    assert [cutoff.isoformat() for cutoff in found.lengths[0].cutoffs] == [
        f"2026-{month:02}-01" for month in range(6, 11)
    ]
    named = report(drifting(60, 240), current_plan="medium")
    assert [cutoff.month for cutoff in named.lengths[0].cutoffs] == list(range(5, 11))
    assert (found.is_plan_named, named.is_plan_named) == (False, True)


def test_only_the_last_cutoffs_are_shown_but_the_earlier_ones_teach(found):
    last = report(drifting(60, 240), cutoffs=2).lengths[0]
    whole = found.lengths[0]
    assert last.cutoffs == whole.cutoffs[-2:]
    assert last.factor == whole.factor
    for name in ("policies", "by_cutoff"):
        every, shown = getattr(whole.tables, name), getattr(last.tables, name)
        expected = every[every["cutoff"].isin(last.cutoffs)].reset_index(drop=True)
        pd.testing.assert_frame_equal(shown.reset_index(drop=True), expected, check_dtype=False)
    assert last.tables.regret["cases"].tolist() == [120] * len(last.tables.regret)
    assert last.tables.policies["count_origins"].min() >= 2


def test_every_length_of_history_is_reported_and_every_cutoff_a_step():
    steps = []
    found = report(drifting(10, 145), fee_or_use(100), steps.append, history_days=(28, 14, 28))
    assert [(one.history_days, len(one.cutoffs)) for one in found.lengths] == [(14, 3), (28, 2)]
    assert steps == [5] * 5


def test_tables_belong_together(found):
    tables = found.lengths[0].tables
    regret = tables.regret.set_index("chooser")
    assert {"recommended_gated", "recommended_ungated", "stay", "last_month", "best_single_plan"} <= set(regret.index)
    weighted = tables.by_cutoff.groupby("chooser")[["switches", "cases"]].sum()
    assert (
        weighted.loc["recommended_ungated"].tolist()
        == regret.loc["recommended_ungated", ["switches", "cases"]].tolist()
    )
    assert tables.reliability["switches"].sum() == regret.loc["recommended_ungated", "switches"]
    assert (tables.calibration_error is None) == (tables.reliability["is_shown"].sum() < 3)
    assert tables.winners["cases"].sum() == regret.loc["stay", "cases"]
    latest = tables.policies[tables.policies["cutoff"] == found.lengths[0].cutoffs[-1]]
    assert (
        dict(zip(latest["segment"], latest["family"], strict=True)).items()
        <= dict(zip(tables.winners["segment"], tables.winners["family"], strict=True)).items()
    )
    for _, row in latest.iterrows():
        policy = Policy.of(row.drop(["cutoff", "segment"]).to_dict())
        curve = tables.trade_offs[tables.trade_offs["segment"] == row["segment"]]
        assert len(curve) == len(SAVING_SHARES) * len(PROBABILITIES)
        bounds = [policy.gate.min_saving_share, policy.gate.min_probability]
        assert (curve[["min_saving_share", "min_probability"]] == bounds).all(axis=1).sum() == 1


def test_usage_is_scaled_so_that_the_plans_suit_it():
    minutes = np.outer([1.0, 5.0, 40.0], np.ones(150))
    assert report(minutes, fee_or_use(100), scale=Scale.of("800")).lengths[0].factor == pytest.approx(800 / 150)
    small, large = (
        report(minutes, fee_or_use(100), scale=Scale.of(text)).lengths[0].tables.regret.set_index("chooser")
        for text in ("x0.01", "x100")
    )
    # All by the minute for 0.3 to 12, or all for the fee: nothing to regret.
    assert small.loc["best_single_plan", "mean_regret"] == large.loc["best_single_plan", "mean_regret"] == 0


def test_a_named_plan_is_what_staying_costs():
    minutes = np.full((3, 150), 1.0)
    by_name = [report(minutes, fee_or_use(100), current_plan=name).lengths[0] for name in ("flat", "metered")]
    stay = [one.tables.regret.set_index("chooser").loc["stay", "mean_regret"] for one in by_name]
    assert stay == pytest.approx([100 - 30, 0])
    # A space or nothing is no plan; who has none at a cut-off is not judged.
    plans = np.where(np.arange(450) % 3 == 0, " flat ", " ")
    assert report(minutes, fee_or_use(100), current_plan=plans).lengths[0].tables.regret["cases"].max() == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"current_plan": "gold"}, "current_plan is 'gold'; the plans compared are flat, metered"),
        ({"current_plan": ""}, "none of the 3 accounts .* had a current_plan by then"),
        ({"minutes": np.zeros((3, 150))}, "none of the 3 accounts was there for the 28 days"),
        ({"minutes": np.ones((3, 87))}, "87 days of usage; 28 of history, 30 before it.* and 30 ahead"),
        ({"minutes": np.ones((3, 57)), "current_plan": "flat"}, "57 days of usage; 28 of history, and 30 ahead"),
        ({"plans": fee_or_use(100)[:1]}, "fewer than two plans can be compared on this usage: flat could be"),
        ({"plans": []}, "fewer than two plans"),
    ],
)
def test_what_cannot_be_judged_is_said_in_a_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        report(**({"minutes": np.ones((3, 150)), "plans": fee_or_use(100)} | changes))


def test_a_wrong_cell_is_named():
    wrong = long_table(np.ones((1, 150))).assign(quantity=-1)
    with pytest.raises(ValueError, match="row 1 has the quantity"):
        report_plans(wrong, STEEP, PlanOptions())


@pytest.mark.parametrize("accounts", [1, 300])
def test_one_cutoff_and_all_on_the_best_plan_is_judged_all_the_same(accounts):
    minutes = np.full((accounts, 100), 1.0)
    only = report(minutes, fee_or_use(100)).lengths[0]
    assert len(only.cutoffs) == 1
    regret = only.tables.regret.set_index("chooser")
    assert (regret["mean_regret"] == 0).all()
    assert (regret["switches"] == 0).all()
    assert only.tables.calibration_error is None
    assert only.tables.trade_offs.empty
