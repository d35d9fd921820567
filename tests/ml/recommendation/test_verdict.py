from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.recommendation.choosers.calibration import Calibration
from ml.recommendation.choosers.policy import Policy
from ml.recommendation.gate import Gate
from ml.recommendation.simulation import USAGE_FACTORS, Simulation
from ml.recommendation.verdict import judge

HONEST = Calibration((0.0, 1.0), (0.0, 1.0), 10**15, 1e15)
"""So much evidence that a share of scenarios is the probability."""


def policy(gate=None):
    return Policy(calibration=HONEST, gate=gate or Gate(0.05, 0.75))


@pytest.mark.parametrize(
    ("cost", "chosen", "reason"),
    [(95.0, 1, "cheaper_with_good_odds"), (95.01, 0, "no_option_passes"), (100.0, 0, "no_option_passes")],
)
def test_a_switch_needs_five_percent_of_the_current_cost(make_simulation, cost, chosen, reason):
    verdict = judge(make_simulation([100.0] * 4, [cost] * 4), 0, policy())
    assert (verdict.chosen, verdict.reason) == (chosen, reason)


@pytest.mark.parametrize(("dearer_paths", "chosen"), [(25, 1), (26, 0)])
def test_a_switch_needs_to_be_cheaper_with_the_asked_probability(make_simulation, dearer_paths, chosen):
    other = [101.0] * dearer_paths + [50.0] * (100 - dearer_paths)
    verdict = judge(make_simulation([100.0] * 100, other), 0, policy())
    assert verdict.chosen == chosen
    assert verdict.raw[1] == 1 - dearer_paths / 100
    assert verdict.probability[1] == pytest.approx(1 - dearer_paths / 100, abs=1e-6)


def test_equal_cost_is_not_cheaper(make_simulation):
    verdict = judge(make_simulation([100.0, 100.0], [100.0, 60.0]), 0, policy())
    assert verdict.raw[1] == 0.5


def test_before_any_evidence_scenarios_are_not_believed_fully(make_simulation):
    sure = make_simulation([100.0] * 4, [50.0] * 4)
    assert judge(sure, 0, Policy()).confidence == pytest.approx(0.75)
    assert judge(sure, 0, Policy()).chosen == 1
    assert judge(sure, 0, policy()).confidence == pytest.approx(1)


def test_where_the_best_ranked_option_does_not_pass_no_other_one_takes_its_place(make_simulation):
    gamble, safe = [0.0] * 6 + [140.0] * 4, [80.0] * 10
    verdict = judge(make_simulation([100.0] * 10, gamble, safe), 0, policy())
    assert verdict.ranking == (1, 2, 0)
    assert (verdict.chosen, verdict.reason, round(verdict.confidence, 6)) == (0, "no_option_passes", 0.4)


def test_who_shuns_risk_ranks_by_what_a_bad_month_costs_too(make_simulation):
    gamble, safe = [0.0] * 6 + [140.0] * 4, [80.0] * 10
    verdict = judge(make_simulation([100.0] * 10, gamble, safe), 0, policy(Gate(0.05, 0.5, risk_aversion=0.5)))
    assert verdict.ranking == (2, 1, 0)
    assert verdict.chosen == 2


def test_who_shuns_risk_stays_where_the_present_plan_ranks_best(make_simulation):
    gamble = [0.0] * 8 + [400.0] * 2
    verdict = judge(make_simulation([100.0] * 10, gamble), 0, policy(Gate(0.05, 0.5, risk_aversion=0.5)))
    assert (verdict.ranking, verdict.chosen) == ((0, 1), 0)


def test_the_second_opinion_regrets_least_in_the_worst_case(make_simulation):
    verdict = judge(make_simulation([100.0, 100.0], [40.0, 140.0], [90.0, 95.0]), 0, policy())
    # At most 60 too much, 45 too much, 50 too much.
    assert verdict.least_regret == 1


def test_confidence_in_staying_is_the_probability_that_the_best_other_option_is_not_cheaper(make_simulation):
    verdict = judge(make_simulation([100.0] * 4, [90.0, 99.0, 99.0, 130.0], [120.0] * 4), 0, policy())
    assert (verdict.chosen, round(verdict.confidence, 6)) == (0, 0.25)


def test_equal_expected_costs_are_ranked_by_p90_then_by_plan_key(make_simulation):
    verdict = judge(make_simulation([50.0, 50.0], [0.0, 100.0], [50.0, 50.0]), 1, policy())
    assert verdict.ranking == (0, 2, 1)


def test_a_trial_ends_with_the_cheapest_option(make_simulation, make_plan):
    plans = (make_plan("trial", is_trial=True), make_plan("x"), make_plan("y"))
    verdict = judge(make_simulation([0.0, 0.0], [60.0, 50.0], [50.0, 55.0], plans=plans), 0, policy())
    assert (verdict.chosen, verdict.reason, round(verdict.confidence, 6)) == (2, "trial_ends", 0.5)


def test_without_usage_nothing_is_advised(make_simulation):
    simulation = make_simulation([49.0, 49.0], [0.0, 0.0])
    simulation.usage["call_seconds"][:] = 0
    verdict = judge(simulation, 0, policy())
    assert (verdict.chosen, verdict.reason, verdict.confidence) == (0, "no_usage", 0)


def test_a_company_whose_plan_is_the_only_option_stays(make_simulation):
    verdict = judge(make_simulation([49.0, 52.0]), 0, policy())
    assert (verdict.chosen, verdict.reason, verdict.confidence) == (0, "only_option", 1)


def test_a_free_plan_is_kept(make_simulation):
    verdict = judge(make_simulation([0.0, 0.0], [0.0, 0.0]), 0, policy())
    assert (verdict.chosen, round(verdict.confidence, 6)) == (0, 1)


def test_next_to_nothing_is_nothing_to_save_a_share_of(make_simulation):
    verdict = judge(make_simulation([0.0, 1e-308], [0.0, 3.0]), 0, policy())
    assert verdict.saving_share.tolist() == [0, 0]


costs = st.integers(1, 4).flatmap(
    lambda options: st.lists(st.lists(st.floats(0, 1e5), min_size=3, max_size=3), min_size=options, max_size=options)
)


@given(costs, st.floats(0, 0.5), st.floats(0, 1))
def test_ranks_are_monotonic_confidence_is_a_share_and_a_switch_passes_the_gate(costs, share, probability):
    matrix = np.array(costs)
    plans = tuple(SimpleNamespace(plan_key=str(row), version=1, is_trial=False) for row in range(len(costs)))
    low, high = np.quantile(matrix, (0.1, 0.9), axis=1)
    expected = matrix.mean(axis=1)
    usage = {"calls": np.ones(3)}
    simulation = Simulation(plans, usage, {}, matrix, expected, low, high, expected[:, None] * USAGE_FACTORS)
    verdict = judge(simulation, 0, policy(Gate(share, probability)))
    assert sorted(verdict.ranking) == list(range(len(costs)))
    assert (np.diff(expected[list(verdict.ranking)]) >= -1e-6).all()
    assert 0 <= verdict.confidence <= 1
    if verdict.chosen != 0:
        assert expected[verdict.chosen] < expected[0]
        assert verdict.confidence >= probability - 1e-6
