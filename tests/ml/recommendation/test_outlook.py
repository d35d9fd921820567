"""How the coming month is seen by the way of choosing that was learned, and that it is seen the same when read back."""

import json
from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest

from ml.analysis.forecasting.history import History
from ml.analysis.projection import Projection
from ml.evaluation.plan_policies import learn_policies
from ml.recommendation.choosers.analogues import Analogues
from ml.recommendation.choosers.cases import NOT_KNOWN, cases_at, past_cases
from ml.recommendation.choosers.forest import Forest
from ml.recommendation.choosers.groups import groups_of
from ml.recommendation.choosers.outcomes import ANALOGUES, LAST_MONTH, SCENARIOS
from ml.recommendation.choosers.outlook import INTERMITTENT, REGULAR, Learned, kinds_at, outlook
from ml.recommendation.choosers.policy import Policy
from ml.recommendation.choosers.stored import pack, unpack
from ml.synthetic.churn import simulate_histories

COMPANIES, DAYS, HORIZON, PATHS = 80, 150, 30, 100


@pytest.fixture(scope="module")
def usage():
    """Seconds of companies of very different sizes over five months; who is not there yet is not observed."""
    found = simulate_histories(COMPANIES, DAYS, 4711)
    observed = np.arange(DAYS) >= found.starts[:, None]
    ends = np.repeat(np.datetime64("2026-06-01"), COMPANIES)
    return {"call_seconds": History(found.counts * 40.0 * observed, observed, ends)}


@pytest.fixture
def plans(make_plan):
    def charge(price, included=0):
        return [{"model": "per_unit", "meter": "call_seconds", "per": 60, "unit_price": price, "included": included}]

    return (
        make_plan("metered", monthly_base_fee="0", charges=charge("0.20")),
        make_plan("package", monthly_base_fee="80", charges=charge("0.10", 500)),
    )


@pytest.fixture
def analogues(usage, plans):
    found = Analogues.fit(past_cases(usage, 0, 14, HORIZON, nobody), plans)
    assert found is not None
    return found


def nobody(_age):
    return np.full(COMPANIES, NOT_KNOWN)


def projection():
    ids = np.arange(100, 100 + COMPANIES)
    paths = np.full((COMPANIES, 2, PATHS), 7.0)
    starts = np.repeat(np.datetime64("2026-06-01"), COMPANIES)
    return Projection(ids, ("appointments", "call_seconds"), starts, HORIZON, paths)


def learned(plans, family, analogues=None):
    policies = {(segment, days): Policy(family) for segment in (REGULAR, INTERMITTENT) for days in (14, 28, 60)}
    return Learned(plans, policies, dict.fromkeys((14, 28, 60), analogues) if analogues else {})


def test_every_company_is_of_one_kind_at_most_and_of_the_longest_history_that_it_has(usage, plans):
    kinds = dict(kinds_at(usage, plans, HORIZON, nobody(0)))
    rows = np.concatenate([cases.rows for cases in kinds.values()])
    assert len(set(rows.tolist())) == len(rows)
    for (_, days), cases in kinds.items():
        there = usage["call_seconds"].observed[cases.rows].sum(axis=1)
        assert (there >= 0.9 * days).all()
    young = usage["call_seconds"].last(14)
    assert {days for _, days in dict(kinds_at({"call_seconds": young}, plans, HORIZON, nobody(0)))} == {14}


def test_who_is_of_no_kind_keeps_the_forecasts_scenarios(usage, plans):
    silent = {"call_seconds": replace(usage["call_seconds"], quantity=0 * usage["call_seconds"].quantity)}
    seen = outlook(projection(), silent, nobody(0), learned(plans, LAST_MONTH))
    assert (seen.projection.monthly == 7).all()
    assert list(seen.policies.values()) == [Policy()] * COMPANIES


def test_last_month_is_the_last_thirty_days_again_and_other_meters_stay(usage, plans):
    seen = outlook(projection(), usage, nobody(0), learned(plans, LAST_MONTH))
    kinds = [cases for (_, days), cases in kinds_at(usage, plans, HORIZON, nobody(0)) if days == 60]
    for row in np.concatenate([cases.rows for cases in kinds]):
        last = usage["call_seconds"].quantity[row, -30:].sum()
        assert seen.projection.monthly[row, 1] == pytest.approx(np.full(PATHS, last))
    assert (seen.projection.monthly[:, 0] == 7).all()
    assert seen.policies[100].family in (LAST_MONTH, SCENARIOS)


def test_analogues_are_asked_where_they_have_served_best_and_known(usage, plans, analogues):
    seen = outlook(projection(), usage, nobody(0), learned(plans, ANALOGUES, analogues))
    without = outlook(projection(), usage, nobody(0), learned(plans, ANALOGUES))
    rows = np.concatenate([cases.rows for _, cases in kinds_at(usage, plans, HORIZON, nobody(0))])
    spread = np.ptp(seen.projection.monthly[rows, 1], axis=1)
    assert (spread > 0).mean() > 0.9
    assert {seen.policies[100 + row].family for row in rows} == {ANALOGUES}
    assert {without.policies[100 + row].family for row in rows} <= {SCENARIOS, LAST_MONTH}


def test_analogues_that_are_read_back_see_the_same(usage, plans, analogues):
    again = unpack(pack(analogues), plans)
    cases = cases_at(usage, 0, 14, HORIZON, nobody)
    assert np.array_equal(again.paths(cases, PATHS), analogues.paths(cases, PATHS))
    assert pack(again) == pack(analogues)
    with pytest.raises(KeyError):
        unpack(pack(analogues), plans[:1])


def test_plain_trees_lead_where_those_of_scikit_learn_do():
    from sklearn.ensemble import ExtraTreesRegressor

    random = np.random.default_rng(5)
    features = random.normal(size=(600, 6))
    fitted = ExtraTreesRegressor(7, min_samples_leaf=5, random_state=1).fit(features, random.normal(size=(600, 2)))
    forest, asked = Forest.of(fitted), random.normal(size=(300, 6))
    assert np.array_equal(forest.apply(asked) - forest.roots, fitted.apply(asked))
    assert {field.name for field in fields(Forest)} == {"roots", "feature", "threshold", "left", "right"}


def test_policies_are_learned_for_each_length_and_survive_json(usage, plans):
    held = np.zeros(COMPANIES, dtype=np.int64)
    lessons = learn_policies(usage, plans, lambda _age: held, (14, 60), HORIZON)
    assert [lesson.history_days for lesson in lessons] == [14, 60]
    for lesson in lessons:
        assert [origin.age for origin in lesson.origins] == sorted(
            (origin.age for origin in lesson.origins), reverse=True
        )
        assert all(origin.age % HORIZON == 0 for origin in lesson.origins)
        for policy in lesson.policies.values():
            assert Policy.of(json.loads(json.dumps(policy.as_json()))) == policy
            assert policy.count_cases > 0


def test_plans_that_can_take_each_others_place_form_groups(make_plan):
    found = groups_of(
        [
            make_plan("a"),
            make_plan("b"),
            make_plan("alone", currency="USD"),
            make_plan("trial", is_trial=True),
            make_plan("later", valid_from="2027-01-01"),
        ],
        date(2026, 6, 1),
    )
    assert {group: [plan.plan_key for plan in plans] for group, plans in found.items()} == {
        ("EUR", "phone"): ["a", "b"]
    }
