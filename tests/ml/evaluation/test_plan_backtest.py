from dataclasses import replace

import numpy as np
import pytest

from ml.evaluation import plan_backtest as module
from ml.evaluation.plan_backtest import judge_origins, over_by, own_origins, walk_forward
from ml.recommendation.choosers.cases import NOT_KNOWN
from ml.recommendation.choosers.outcomes import ANALOGUES, LAST_MONTH, SCENARIOS
from tests.ml.recommendation.choosers.origins import lottery
from tests.ml.recommendation.choosers.world import STEEP, always, changed_from, drifting, usage_of

SERIES, DAYS, HISTORY, HORIZON = 60, 220, 28, 30
AGES = (120, 90, 60, 30)


def walked(usage, ages=AGES, held=None):
    return walk_forward(usage, STEEP, ages, HISTORY, HORIZON, held or always(2, SERIES))


@pytest.fixture(scope="module")
def usage():
    return usage_of(drifting(SERIES, DAYS))


@pytest.fixture(scope="module")
def origins(usage):
    return walked(usage)


def same_advice(one, other):
    return (
        np.array_equal(one.ungated, other.ungated)
        and np.array_equal(one.gated, other.gated)
        and np.array_equal(one.probability, other.probability)
        and one.policy == other.policy
    )


def test_usage_at_or_after_an_origin_changes_no_choice_at_it(usage, origins):
    flooded = walked(changed_from(usage, 60, 900.0))
    for before, after in zip(origins[:3], flooded[:3], strict=True):
        assert before.trials.keys() == after.trials.keys() == {LAST_MONTH, SCENARIOS, ANALOGUES}
        for name, trial in before.trials.items():
            for part in ("chosen", "saving_share", "raw"):
                assert np.array_equal(getattr(trial, part), getattr(after.trials[name], part)), (before.age, name)
    assert not np.array_equal(origins[2].costs, flooded[2].costs)
    advised = [[one for one in judge_origins(found, HORIZON) if one.origin.age >= 60] for found in (origins, flooded)]
    assert len(advised[0]) == len(advised[1]) > 0
    assert all(same_advice(*pair) for pair in zip(*advised, strict=True))


def test_a_policy_is_taught_by_origins_whose_horizon_was_over(origins):
    for origin in origins:
        assert [one.age for one in over_by(origins, origin.age, HORIZON)] == [
            age for age in AGES if age >= origin.age + HORIZON
        ]
    later = [replace(one, costs=one.costs[::-1]) if one.age == 60 else one for one in origins]
    for before, after in zip(judge_origins(origins, HORIZON), judge_origins(later, HORIZON), strict=True):
        assert same_advice(before, after) == (before.origin.age >= 60)
    # Forty days ahead are not over thirty days later.
    assert [one.age for one in over_by(origins, 60, 40)] == [120]


def test_a_segment_is_taught_by_its_own_cases_once_they_are_enough(monkeypatch):
    past = [replace(lottery(90), age=age, is_regular=np.arange(90) < 50) for age in (120, 90)]
    assert [len(one.rows) for one in own_origins(past, is_regular=True)] == [90, 90]
    monkeypatch.setattr(module, "FEWEST_OF_SEGMENT", 100)
    assert [len(one.rows) for one in own_origins(past, is_regular=True)] == [50, 50]
    assert [len(one.rows) for one in own_origins(past, is_regular=False)] == [90, 90]


def test_whose_plan_or_following_month_is_not_known_is_not_judged(usage):
    def held(age):
        return np.where(np.arange(SERIES) < 5, NOT_KNOWN, 2)

    found = walked(usage, (60, HORIZON - 1), held)
    assert [one.age for one in found] == [60]
    assert found[0].rows.min() == 5


def test_every_origin_is_a_step_and_one_without_cases_is_left_out(usage):
    steps = []
    ages = (DAYS, DAYS - HISTORY, 60)
    found = walk_forward(usage, STEEP, ages, HISTORY, HORIZON, always(2, SERIES), progress=lambda: steps.append("done"))
    assert (len(steps), [one.age for one in found]) == (3, [DAYS - HISTORY, 60])
    assert ANALOGUES not in found[0].trials


def test_both_segments_are_judged_and_a_gate_only_takes_changes_back(usage):
    rare = usage_of(drifting(SERIES, DAYS) * (np.arange(SERIES)[:, None] % 2 | (np.arange(DAYS) % 4 == 0)))
    judged = judge_origins(walked(rare, (60, 30)), HORIZON)
    assert [(one.origin.age, one.segment) for one in judged] == [
        (age, segment) for age in (60, 30) for segment in ("regular", "intermittent")
    ]
    assert sum(len(one.gated) for one in judged) == 2 * SERIES
    for one in judged:
        assert ((one.gated == one.ungated) | (one.gated == one.origin.held)).all()
        assert np.array_equal(one.is_change, one.ungated != one.origin.held)
        assert ((one.probability > 0) & (one.probability < 1)).all()
