import numpy as np
import pytest

from ml.evaluation.plan_backtest import Judged
from ml.evaluation.regret import FEWEST_SWITCHES, calibration_error, regret_table, reliability
from ml.recommendation.choosers.policy import Policy
from tests.ml.recommendation.choosers.origins import advice, origin


def judged(costs, held, ungated, gated, probability=None, **trials) -> Judged:
    case = origin(np.array(costs, dtype=float), np.array(held), {name: advice(rows) for name, rows in trials.items()})
    odds = np.full(len(held), 0.5) if probability is None else np.asarray(probability)
    return Judged("regular", case, Policy(), np.array(ungated), np.array(gated), odds)


@pytest.fixture(scope="module")
def table():
    # Two plans, four cases: staying costs 100 50 80 100, the best 60 50 70 100.
    first = judged(
        [[100, 50, 80], [60, 55, 70]], [0, 0, 0], [1, 1, 1], [1, 0, 0], last_month=[1, 1, 0], scenarios=[0, 0, 0]
    )
    return regret_table([first, judged([[102], [100]], [1], [0], [1], last_month=[1])]).set_index("chooser")


def test_regret_harm_and_captured_savings_in_figures(table):
    ungated = table.loc["recommended_ungated"]
    assert ungated["cases"] == 4
    assert ungated["regret_share"] == pytest.approx((0 + 5 + 0 + 2) / 280)
    assert ungated["mean_regret"] == pytest.approx(7 / 4)
    assert ungated["p90_regret"] == pytest.approx(np.quantile([0, 5, 0, 2], 0.9))
    assert ungated["captured_share"] == pytest.approx((330 - 287) / (330 - 280))
    # 55 instead of 50 and 102 instead of 100 are more than 1 % dearer.
    assert (ungated["harmed_share"], ungated["switches"]) == (0.5, 4)
    assert ungated["harmed_among_switches"] == 0.5


def test_each_chooser_has_its_row(table):
    assert list(table.index) == ["recommended_gated", "recommended_ungated", "stay", "best_single_plan", "last_month"]
    assert table["regret_share"].tolist() == pytest.approx([10 / 280, 7 / 280, 50 / 280, 5 / 280, 15 / 280])
    assert table["switches"].tolist() == [1, 4, 0, 3, 2]
    assert table.loc["stay", ["captured_share", "harmed_share"]].tolist() == [0, 0]
    assert np.isnan(table.loc["stay", "harmed_among_switches"])


def test_the_single_plan_is_the_cheapest_for_all_together():
    found = regret_table([judged([[100, 50], [60, 95]], [0, 0], [0, 0], [0, 0])]).set_index("chooser")
    # 150 with the first and 155 with the second, though that is the best of more than half of the savings.
    assert found.loc["best_single_plan", "mean_regret"] == 20


def test_where_everything_is_free_or_nothing_can_be_saved_shares_are_not_known():
    free = regret_table([judged([[0, 0], [0, 0]], [0, 1], [0, 1], [0, 1])]).set_index("chooser").loc["stay"]
    assert np.isnan(free[["regret_share", "captured_share"]].to_numpy(dtype=float)).all()
    assert free["mean_regret"] == 0


def test_reliability_counts_all_ungated_changes_by_the_decile_of_their_probability():
    # On the first plan are all; the second is cheaper for every other one.
    count = 3 * FEWEST_SWITCHES
    costs = np.stack([np.full(count, 100.0), np.where(np.arange(count) % 2, 90.0, 110.0)])
    probability = np.repeat([0.35, 0.6, 1.0], [FEWEST_SWITCHES, FEWEST_SWITCHES - 1, FEWEST_SWITCHES + 1])
    changes = np.ones(count, dtype=int)
    changes[-1] = 0
    found = reliability([judged(costs, np.zeros(count, dtype=int), changes, changes * 0, probability)])
    found = found.set_index("decile")
    assert found["switches"].to_dict() == {n: {4: 200, 7: 199, 10: 200}.get(n, 0) for n in range(1, 11)}
    assert found["is_shown"].to_dict() == {n: n in (4, 10) for n in range(1, 11)}
    assert found.loc[4, ["mean_probability", "observed_frequency", "gap"]].tolist() == pytest.approx([0.35, 0.5, -0.15])
    assert found.loc[10, "gap"] == pytest.approx(0.5)
    assert np.isnan(found.loc[1, "observed_frequency"])
    # Of the 199 changes with 60 %, 99 or 100 were cheaper.
    assert calibration_error(found) == pytest.approx((200 * 0.15 + 199 * 0.1 + 200 * 0.5) / 599, abs=1e-3)


def test_without_a_change_there_is_no_calibration_error():
    found = reliability([judged([[1.0], [2.0]], [0], [0], [0])])
    assert not found["is_shown"].any()
    assert np.isnan(calibration_error(found))
