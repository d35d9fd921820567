import numpy as np
import pytest

from ml.recommendation.choosers.analogues import DRIFT_STRENGTH, FEWEST_CASES, TREES, Analogues
from ml.recommendation.choosers.cases import cases_at, past_cases
from ml.recommendation.choosers.outcomes import Trial, costs_of
from tests.ml.recommendation.choosers.world import SECONDS, STEEP, always, drifting, usage_of

HISTORY, HORIZON = 28, 30


def ramps(series: int, days: int, seed: int) -> np.ndarray:
    """Usage that is low for sixty days and high for sixty in turns, so that the last days tell the next."""
    random = np.random.default_rng(seed)
    phase = (np.arange(days) + random.integers(0, 120, (series, 1))) % 120
    return random.poisson(random.uniform(10, 40, (series, 1)) * np.where(phase < 60, 0.5, 2)).astype(float)


def learned(usage, age, plans=STEEP, held=0):
    count = len(next(iter(usage.values())).ends)
    return Analogues.fit(past_cases(usage, age, HISTORY, HORIZON, always(held, count)), plans)


@pytest.fixture(scope="module")
def world():
    usage = usage_of(ramps(100, 330, seed=0))
    return learned(usage, HORIZON), cases_at(usage, HORIZON, HISTORY, HORIZON, always(1, 100))


def test_from_too_few_cases_nothing_is_learned():
    usage = usage_of(drifting(FEWEST_CASES // 5, 120))
    weeks = past_cases(usage, HORIZON, HISTORY, HORIZON, always(0, FEWEST_CASES // 5))
    assert len(weeks) >= FEWEST_CASES
    assert Analogues.fit(weeks.take(np.arange(FEWEST_CASES - 1)), STEEP) is None
    assert Analogues.fit(weeks.take(np.arange(FEWEST_CASES)), STEEP) is not None


def test_what_follows_like_cases_is_a_better_guide_than_the_last_month(world):
    analogues, cases = world
    costs, own = costs_of(STEEP, (SECONDS,), cases.total), np.arange(len(cases))
    advised = Trial.of(analogues.paths(cases, 300), cases, STEEP).chosen
    repeated = Trial.of(cases.recent[:, :, None], cases, STEEP).chosen
    regret = [(costs[chosen, own] - costs.min(axis=0)).sum() for chosen in (advised, repeated)]
    assert regret[0] < 0.8 * regret[1]


@pytest.mark.parametrize(("asked", "given"), [(1, TREES), (TREES, TREES), (TREES + 1, 2 * TREES), (300, 300)])
def test_each_tree_gives_as_many_scenarios(world, asked, given):
    analogues, cases = world
    paths = analogues.paths(cases, asked)
    assert paths.shape == (len(cases), 1, given)
    assert (paths >= 0).all()


def test_the_same_seed_draws_the_same(world):
    analogues, cases = world
    first, second, other = (analogues.paths(cases, 120, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_case_draws_what_followed_those_that_share_a_leaf_with_it_times_its_own_level():
    weeks = past_cases(usage_of(ramps(40, 150, seed=1)), HORIZON, HISTORY, HORIZON, always(0, 40))
    analogues, one = Analogues.fit(weeks, STEEP), 17
    drawn = analogues.paths(weeks.take(np.array([one])), 3 * TREES)[0, 0].reshape(TREES, 3)
    relative = drawn / (weeks.level[one, 0] * HORIZON * analogues.drift[0])
    ends = np.append(analogues.forest.roots[1:], len(analogues.size))
    for tree, nodes in enumerate(map(np.arange, analogues.forest.roots, ends)):
        place = np.flatnonzero(analogues.members[tree] == one)[0]
        first, size = analogues.first[nodes], analogues.size[nodes]
        leaf = np.flatnonzero((first <= place) & (place < first + size))[0]
        shared = analogues.members[tree, first[leaf] :][: size[leaf]]
        assert len(shared) < len(weeks)
        assert np.isclose(relative[tree][:, None], analogues.relative[shared, 0]).any(axis=1).all()


def test_the_common_drift_is_believed_by_how_long_it_was_seen():
    days = 28 + 30
    minutes = np.where(np.arange(days) < 28, 10.0, 20.0) * np.linspace(1, 2, FEWEST_CASES)[:, None]
    usage = usage_of(minutes)
    cases = cases_at(usage, HORIZON, HISTORY, HORIZON, always(0, FEWEST_CASES))
    analogues = Analogues.fit(cases, STEEP)
    assert analogues.drift == pytest.approx([2 ** (1 / (1 + DRIFT_STRENGTH))])
    assert analogues.relative == pytest.approx(np.ones((FEWEST_CASES, 1)))


def test_usage_after_the_instant_changes_no_scenario():
    minutes = ramps(40, 200, seed=3)
    later = minutes.copy()
    later[:, -40:] = 500
    found = []
    for usage in (usage_of(minutes), usage_of(later)):
        cases = cases_at(usage, 40, HISTORY, HORIZON, always(0, 40))
        found.append(learned(usage, 40).paths(cases, 60))
    assert np.array_equal(*found)


def test_a_meter_that_nobody_uses_stays_at_nothing():
    usage = usage_of(drifting(40, 120))
    unused = usage[SECONDS].__class__(np.zeros((40, 120)), usage[SECONDS].observed, usage[SECONDS].ends)
    both = {**usage, "appointments": unused}
    cases = cases_at(both, HORIZON, HISTORY, HORIZON, always(0, 40))
    paths = learned(both, HORIZON).paths(cases, 60)
    assert paths[:, 0].any()
    assert not paths[:, 1].any()
