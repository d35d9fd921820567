import json

import numpy as np
import pytest

from ml.recommendation.choosers.calibration import Calibration
from ml.recommendation.choosers.outcomes import ANALOGUES, FAMILIES, LAST_MONTH, SCENARIOS
from ml.recommendation.choosers.policy import (
    FEWEST_SWITCHES,
    MOST_HARM,
    PROBABILITIES,
    SAVING_SHARES,
    Policy,
    is_harmed,
    learn_policy,
    passes,
    trade_off,
)
from ml.recommendation.gate import DEFAULT_GATE, Gate
from tests.ml.recommendation.choosers.origins import advice, lottery, origin

EVERYBODY_FIRST = np.zeros(10, dtype=int)


def two_plans(**chosen):
    """Ten cases of which the first plan costs 100 and the second 90; families choose the second so often."""
    costs = np.stack([np.full(10, 100.0), np.full(10, 90.0)])
    return origin(costs, EVERYBODY_FIRST, {name: advice((np.arange(10) < n).astype(int)) for name, n in chosen.items()})


@pytest.mark.parametrize(
    ("cost", "staying", "harmed"),
    [(101.0, 100.0, False), (101.01, 100.0, True), (99.0, 100.0, False), (0.0, 0.0, False), (0.01, 0.0, True)],
)
def test_harm_is_to_pay_more_than_one_percent_above_staying(cost, staying, harmed):
    assert is_harmed(np.array([cost]), np.array([staying])).tolist() == [harmed]


def test_before_anything_is_over_the_prior_decides():
    policy = learn_policy([])
    assert (policy.family, policy.calibration, policy.gate) == (ANALOGUES, Calibration(), DEFAULT_GATE)
    assert (policy.count_cases, policy.count_origins) == (0, 0)
    assert learn_policy([], (LAST_MONTH, SCENARIOS)).family == SCENARIOS


def test_the_family_with_the_least_regret_so_far_leads():
    past = [two_plans(last_month=5, scenarios=9, analogues=5)] * 3
    policy = learn_policy(past)
    assert policy.family == SCENARIOS
    # Its regret is a fifth of last month's at three origins, as much at two assumed ones.
    assert policy.losses == pytest.approx(
        {LAST_MONTH: 1, SCENARIOS: (3 * 0.2 + 2 * 0.99) / 5, ANALOGUES: (3 + 2 * 0.93) / 5}
    )
    assert (policy.count_cases, policy.count_origins) == (30, 3)
    assert learn_policy(past, (LAST_MONTH, ANALOGUES)).family == ANALOGUES


def test_a_family_that_was_not_tried_is_judged_by_what_is_assumed():
    policy = learn_policy([two_plans(last_month=5, scenarios=4)], FAMILIES)
    assert policy.family == ANALOGUES
    assert (policy.losses[ANALOGUES], policy.count_origins) == (0.93, 0)


def test_an_origin_at_which_last_month_made_no_mistake_tells_the_families_apart_no_more():
    policy = learn_policy([two_plans(last_month=10, scenarios=5)], (LAST_MONTH, SCENARIOS))
    assert policy.losses == pytest.approx({LAST_MONTH: 1, SCENARIOS: (1 + 2 * 0.99) / 3})


@pytest.mark.parametrize("seed", range(5))
def test_the_gate_keeps_the_bound_on_harm_with_the_least_regret(seed):
    past = [lottery(400, 2 * seed), lottery(400, 2 * seed + 1)]
    policy = learn_policy(past, (LAST_MONTH,))
    rows = trade_off(past, LAST_MONTH, policy.calibration)
    own = next(row for row in rows if Gate(row["min_saving_share"], row["min_probability"]) == policy.gate)
    assert own["harmed_share"] <= MOST_HARM
    assert own["regret_share"] == min(row["regret_share"] for row in rows if row["harmed_share"] <= MOST_HARM)
    assert own["switch_share"] > 0
    # What the curve says is what happens.
    trial, cost = past[0].trials[LAST_MONTH], past[0].cost
    moves = (trial.chosen == 1) & passes(policy.gate, trial.saving_share, policy.calibration(trial.raw))
    found = cost(np.where(moves, trial.chosen, past[0].held))
    alone = trade_off(past[:1], LAST_MONTH, policy.calibration)[rows.index(own)]
    assert alone["harmed_share"] == pytest.approx(is_harmed(found, past[0].stay).mean())
    assert alone["regret_share"] == pytest.approx((found - past[0].best).sum() / past[0].best.sum())


def test_where_every_gate_harms_too_many_the_strictest_is_taken():
    count = 2_000
    costs = np.stack([np.full(count, 100.0), np.where(np.arange(count) < 0.045 * count, 200.0, 50.0)])
    past = origin(costs, np.zeros(count, dtype=int), {LAST_MONTH: advice(np.ones(count, dtype=int), 1.0, 0.5)})
    policy = learn_policy([past] * 60, (LAST_MONTH,))
    assert policy.calibration(1.0) > PROBABILITIES[-1]
    assert policy.gate == Gate(SAVING_SHARES[-1], PROBABILITIES[-1])


def test_a_gate_is_chosen_once_enough_changes_were_seen():
    few, enough = lottery(FEWEST_SWITCHES - 1), lottery(20 * FEWEST_SWITCHES)
    assert learn_policy([few], (LAST_MONTH,)).gate == DEFAULT_GATE
    assert learn_policy([enough], (LAST_MONTH,)).gate != DEFAULT_GATE


def test_all_on_the_best_plan_teach_nothing_but_are_counted():
    stay = origin(np.array([[50.0] * 9, [80.0] * 9]), np.zeros(9, dtype=int), {LAST_MONTH: advice([0] * 9)})
    policy = learn_policy([stay], (LAST_MONTH,))
    assert (policy.calibration, policy.gate, policy.count_cases) == (Calibration(), DEFAULT_GATE, 9)


def test_a_stricter_gate_lets_fewer_through():
    shares = np.array([row["switch_share"] for row in trade_off([lottery(500)], LAST_MONTH, Calibration())])
    grid = shares.reshape(len(SAVING_SHARES), len(PROBABILITIES))
    assert (np.diff(grid, axis=0) <= 0).all()
    assert (np.diff(grid, axis=1) <= 0).all()


def test_the_bounds_of_a_gate_are_inside_it():
    saving, probability = np.array([0.05, 0.1 - 0.05, 0.0499]), np.array([0.75, 0.7, 0.8])
    assert passes(Gate(0.05, 0.75), saving, probability).tolist() == [True, False, False]
    assert passes(Gate(0.05, 0.3), np.array([0.15 - 0.1]), np.array([0.1 + 0.2])).all()


def test_a_policy_outlives_json():
    policy = learn_policy([lottery(400)], (LAST_MONTH,))
    assert policy.calibration.count == 400
    assert Policy.of(json.loads(json.dumps(policy.as_json()))) == policy
    assert Policy.of(json.loads(json.dumps(Policy().as_json()))) == Policy()
