from dataclasses import fields

import numpy as np
import pytest

from ml.recommendation.choosers import cases as module
from ml.recommendation.choosers.cases import NOT_KNOWN, cases_at, past_cases
from tests.ml.recommendation.choosers.world import always, changed_from, drifting, usage_of

HISTORY, HORIZON = 28, 30


def at(usage, age, history_days=HISTORY):
    return cases_at(usage, age, history_days, HORIZON, always(0, len(next(iter(usage.values())).ends)))


def test_nothing_at_or_after_the_instant_is_in_a_case_but_what_followed():
    usage = usage_of(drifting(20, 120))
    before, after = at(usage, 40), at(changed_from(usage, 40, 9.0), 40)
    for field in fields(before):
        same = np.array_equal(getattr(before, field.name), getattr(after, field.name))
        assert same == (field.name != "total"), field.name
    assert after.total == pytest.approx(np.full((20, 1), 9 * 60 * HORIZON))


def test_what_followed_is_the_sum_of_the_horizon_and_unknown_before_it_is_over():
    usage = usage_of(np.arange(120.0)[None])
    case = at(usage, HORIZON)
    assert case.total[0, 0] == 60 * sum(range(90, 120))
    assert case.level[0, 0] == 60 * np.mean(range(62, 90))
    assert case.recent[0, 0] == pytest.approx(60 * HORIZON * np.mean(range(62, 90)))
    assert case.is_over.all()
    young = at(usage, HORIZON - 1)
    assert np.isnan(young.total).all()
    assert not young.is_over.any()
    assert not young.can_be_judged.any()


def test_only_who_was_there_and_used_anything_is_a_case():
    minutes = np.ones((4, 60))
    minutes[2, : 60 - 1] = 0
    # With 28 days of history, 0.9 of them are 25.2: 26 days suffice, 25 don't.
    usage = usage_of(minutes, first=np.array([0, 60 - 1 - 26, 0, 60 - 1 - 25]))
    assert at(usage, 1).rows.tolist() == [0, 1]


def test_a_day_that_was_not_observed_counts_as_a_mean_one():
    usage = usage_of(np.full((1, 60), 2.0), first=np.array([33]))
    case = at(usage, 0)
    assert case.level[0, 0] == 120
    assert case.recent[0, 0] == 120 * HORIZON


def test_a_case_is_regular_from_usage_on_half_of_its_days_on():
    minutes = np.zeros((2, HISTORY))
    minutes[0, :14], minutes[1, :13] = 1, 1
    assert at(usage_of(minutes), 0).is_regular.tolist() == [True, False]


def test_past_cases_are_over_and_weeks_apart():
    usage = usage_of(drifting(5, 150))
    found = past_cases(usage, 10, HISTORY, HORIZON, always(0, 5))
    assert found.is_over.all()
    assert sorted(set(found.ages.tolist())) == list(range(10 + HORIZON, 150 - HISTORY + 1, 7))
    assert len(found) == 5 * len(set(found.ages))


def test_what_is_learned_from_does_not_change_with_usage_that_came_later():
    usage = usage_of(drifting(5, 150))
    found = [past_cases(one, 40, HISTORY, HORIZON, always(0, 5)) for one in (usage, changed_from(usage, 40, 9.0))]
    for field in fields(found[0]):
        assert np.array_equal(getattr(found[0], field.name), getattr(found[1], field.name)), field.name


def test_past_cases_with_a_known_plan_are_kept_alone_once_they_are_enough(monkeypatch):
    usage = usage_of(drifting(5, 150))
    every = past_cases(usage, 10, HISTORY, HORIZON, always(0, 5))

    def held(age):
        return np.array([0, 0, NOT_KNOWN, 0, NOT_KNOWN])

    assert len(past_cases(usage, 10, HISTORY, HORIZON, held)) == len(every)
    monkeypatch.setattr(module, "FEWEST_KNOWN", 3 * len(set(every.ages)))
    assert set(past_cases(usage, 10, HISTORY, HORIZON, held).rows.tolist()) == {0, 1, 3}


def test_very_many_cases_are_a_sample_that_is_the_same_each_time(monkeypatch):
    usage = usage_of(drifting(5, 150))
    monkeypatch.setattr(module, "MOST_CASES", 17)
    first, second = (past_cases(usage, 10, HISTORY, HORIZON, always(0, 5)) for _ in range(2))
    assert len(first) == 17
    assert np.array_equal(first.rows, second.rows)
    assert len({*zip(first.rows.tolist(), first.ages.tolist(), strict=True)}) == 17


@pytest.mark.parametrize("days", [1, 6, 27, 40])
@pytest.mark.parametrize("age", [0, 30, 45])
def test_a_table_that_is_too_short_has_no_past_cases(days, age):
    usage = usage_of(np.ones((3, days)))
    found = past_cases(usage, age, HISTORY, HORIZON, always(0, 3))
    assert len(found) == 0
    assert found.features.shape == (0, at(usage_of(np.ones((1, 60))), 0).features.shape[1])


def test_usage_of_zeros_has_no_cases():
    assert len(at(usage_of(np.zeros((3, 60))), 0)) == 0
