"""Whole experiments on simulated companies: how often they err, and how often they find what is there."""

import numpy as np
import pytest
from scipy import stats

from ml.evaluation.experiments import Draw, clopper_pearson, draw_proportions, draw_revenues, run_experiment
from ml.experiments.design import Design
from ml.experiments.looks import Look

DECLARED = {
    "key": "x",
    "name": "x",
    "variant_a": {"price": "1"},
    "variant_b": {"price": "2"},
    "companies_per_week": 20,
}
ACCEPTANCE = Design.model_validate(
    {**DECLARED, "metrics": ["acceptance"], "baseline": 0.4, "minimum_effect": 0.15, "observation_days": 28}
)
REVENUE = Design.model_validate(
    {
        **DECLARED,
        "metrics": ["monthly_revenue"],
        "standard_deviation": 60,
        "minimum_effect": 20,
        "observation_days": 61,
    }
)
# Companies of three strata that differ, with one to three decisions or months each; both variants are the same.
NOTHING = {
    "acceptance": (ACCEPTANCE, draw_proportions(0.4, spread=0.15, most=3)),
    "revenue": (REVENUE, draw_revenues(80, 0.75, factor=1.5, most=2)),
}
# The case that the size was computed for.
DECLARED_EFFECT = {
    "acceptance": (ACCEPTANCE, draw_proportions(0.4, effect=0.15)),
    "revenue": (REVENUE, draw_revenues(80, 0.75, effect=20)),
}


def run(design: Design, draw: Draw, trials: int) -> list[list[Look]]:
    return [
        run_experiment(design.model_copy(update={"key": f"x{trial}"}), draw, np.random.default_rng(trial))
        for trial in range(trials)
    ]


def found(tests: list[list[Look]]) -> int:
    return sum(looks[-1].outcome == "winner" for looks in tests)


def check_false_positives(kind: str, trials: int) -> None:
    tests = run(*NOTHING[kind], trials)
    hits = found(tests)
    assert clopper_pearson(hits, trials)[0] <= 0.05
    # Three standard errors of 5 %, and some errors, or else nothing was tested.
    assert 0.01 < hits / trials <= 0.05 + 3 * (0.05 * 0.95 / trials) ** 0.5
    assert all(looks[-1].ends_the_test for looks in tests)
    peeking = np.mean([any(look.effect and look.effect.p_value <= 0.05 for look in looks) for looks in tests])
    assert peeking > 0.08


def check_power(kind: str, trials: int) -> None:
    design, draw = DECLARED_EFFECT[kind]
    tests = run(design, draw, trials)
    noise = 3 * (design.power * (1 - design.power) / trials) ** 0.5
    assert found(tests) / trials == pytest.approx(design.power, abs=noise)
    assert all(looks[-1].winner in ("b", None) for looks in tests)
    # Most tests with an effect are over before all companies were counted.
    assert np.mean([looks[-1].fraction for looks in tests]) < 0.9


@pytest.mark.parametrize("kind", NOTHING)
def test_where_there_is_no_difference_one_is_rarely_found(kind):
    check_false_positives(kind, 200)


@pytest.mark.parametrize("kind", DECLARED_EFFECT)
def test_a_difference_as_declared_is_found_as_often_as_computed_beforehand(kind):
    check_power(kind, 200)


@pytest.mark.long
@pytest.mark.parametrize("kind", NOTHING)
def test_of_two_thousand_tests_without_a_difference_no_more_err_than_declared(kind):
    check_false_positives(kind, 2000)


@pytest.mark.long
@pytest.mark.parametrize("kind", DECLARED_EFFECT)
def test_of_two_thousand_tests_with_a_difference_as_many_find_it_as_declared(kind):
    check_power(kind, 2000)


def test_the_interval_of_the_whole_test_covers_the_effect():
    design, draw = DECLARED_EFFECT["revenue"]
    ends = [looks[-1] for looks in run(design, draw, 150)]
    covered = sum(look.interval[0] <= 20 <= look.interval[1] for look in ends)
    assert clopper_pearson(covered, len(ends))[1] >= 0.95


def test_a_variant_that_keeps_companies_from_being_counted_is_noticed():
    def draw(rng, stratum, is_b):
        numerator, denominator = draw_proportions(0.4)(rng, stratum, is_b)
        return numerator, denominator * ~(is_b & (rng.random(len(is_b)) < 0.6))

    tests = run(ACCEPTANCE, draw, 10)
    assert {looks[-1].outcome for looks in tests} == {"sample_ratio_mismatch"}
    assert {looks[-1].winner for looks in tests} == {None}


@pytest.mark.parametrize(("hits", "trials"), [(0, 10), (5, 100), (10, 10)])
def test_intervals_of_probabilities_are_exact(hits, trials):
    exact = stats.binomtest(hits, trials).proportion_ci(method="exact")
    assert clopper_pearson(hits, trials) == pytest.approx((exact.low, exact.high))
