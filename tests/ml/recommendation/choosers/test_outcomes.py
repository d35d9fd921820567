import numpy as np
import pytest

from ml.recommendation.choosers import outcomes
from ml.recommendation.choosers.cases import cases_at
from ml.recommendation.choosers.outcomes import Origin, Trial, costs_of, last_month_paths
from tests.ml.recommendation.choosers.world import SECONDS, STEEP, always, drifting, fee_or_use, usage_of

FLAT, METERED = 0, 1


def cases_of(count, held=FLAT):
    return cases_at(usage_of(np.ones((count, 60))), 0, 28, 30, always(held, count))


def paths_of(*minutes):
    """Scenarios [n, 1, p] of totals."""
    return np.array(minutes, dtype=float)[:, None, :] * 60


def test_the_cheapest_expected_plan_is_chosen_with_its_saving_and_its_odds():
    trial = Trial.of(paths_of([50, 50, 150, 50], [300, 90, 300, 300]), cases_of(2), fee_or_use(100))
    assert trial.chosen.tolist() == [METERED, FLAT]
    assert trial.saving_share == pytest.approx([0.25, 0])
    assert trial.raw == pytest.approx([0.75, 0])


def test_what_costs_the_same_is_not_cheaper():
    trial = Trial.of(paths_of([100.0, 100.0, 40.0]), cases_of(1), fee_or_use(100))
    assert trial.chosen.tolist() == [METERED]
    assert trial.raw == pytest.approx([1 / 3])


def test_who_pays_nothing_saves_nothing():
    trial = Trial.of(paths_of([0.0, 0.0]), cases_of(1, METERED), fee_or_use(100))
    assert (trial.chosen.tolist(), trial.saving_share.tolist()) == ([METERED], [0])


def test_priced_in_parts_or_at_once_is_the_same(monkeypatch):
    paths = np.random.default_rng(0).gamma(2, 30_000, (7, 1, 50))
    cases = cases_at(usage_of(np.ones((7, 60))), 0, 28, 30, lambda age: np.arange(7) % len(STEEP))
    whole = Trial.of(paths, cases, STEEP)
    monkeypatch.setattr(outcomes, "AT_ONCE", 3 * 50)
    parts = Trial.of(paths, cases, STEEP)
    for name in ("chosen", "saving_share", "raw"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_against_every_plan_priced_alone():
    random = np.random.default_rng(1)
    paths, cases = random.gamma(2, 30_000, (20, 1, 40)), cases_of(20, held=2)
    trial, costs = Trial.of(paths, cases, STEEP), costs_of(STEEP, (SECONDS,), paths)
    expected, own = costs.mean(axis=2), np.arange(20)
    assert np.array_equal(trial.chosen, expected.argmin(axis=0))
    assert trial.saving_share == pytest.approx(1 - expected.min(axis=0) / expected[2])
    assert trial.raw == pytest.approx((costs[trial.chosen, own] < costs[2] - 1e-9).mean(axis=1))


def test_nobody_is_tried_without_a_fuss():
    cases = cases_of(1).take(np.zeros(0, dtype=int))
    trial = Trial.of(np.zeros((0, 1, 10)), cases, STEEP)
    assert (len(trial.chosen), len(trial.saving_share), len(trial.raw)) == (0, 0, 0)


def test_last_month_again_is_one_scenario():
    cases = cases_at(usage_of(drifting(3, 60)), 0, 28, 30, always(0, 3))
    assert np.array_equal(last_month_paths(cases)[:, :, 0], cases.recent)


def test_an_origin_says_what_choices_staying_and_the_best_cost():
    trial = Trial(np.array([0, 1, 0]), np.zeros(3), np.zeros(3))
    costs = np.array([[10.0, 20, 30], [15, 5, 40]])
    origin = Origin(30, 28, (), np.arange(3), costs, np.array([1, 1, 0]), np.array([True, False, True]), {"x": trial})
    assert origin.best.tolist() == [10, 5, 30]
    assert origin.stay.tolist() == [15, 5, 30]
    assert origin.cost(trial.chosen).tolist() == [10, 5, 30]
    some = origin.take(origin.is_regular)
    assert (some.rows.tolist(), some.stay.tolist(), some.trials["x"].chosen.tolist()) == ([0, 2], [15, 30], [0, 0])
