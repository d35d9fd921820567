"""Sizes and durations against hand-computed ones."""

import pytest

from ml.experiments.power import (
    inflation,
    minimum_days,
    per_arm_for_means,
    per_arm_for_proportions,
    sample_size,
)


# Fleiss, Levin and Paik give 388 without continuity correction for 0.5 against 0.6 at 80 % power; the others by hand:
# (1.959964 x sqrt(2 x 0.475 x 0.525) + 0.841621 x sqrt(0.24 + 0.2475))^2 / 0.0225 = 172.8.
@pytest.mark.parametrize(("baseline", "effect", "expected"), [(0.5, 0.1, 387.3), (0.4, 0.15, 172.8)])
def test_companies_for_two_proportions(baseline, effect, expected):
    assert per_arm_for_proportions(baseline, effect, 0.05, 0.8) == pytest.approx(expected, abs=0.1)


def test_companies_for_two_means():
    # 2 x 100 x (1.959964 + 0.841621)^2 / 25
    assert per_arm_for_means(10, 5, 0.05, 0.8) == pytest.approx(62.79, abs=0.01)
    assert per_arm_for_means(10, 5, 0.05, 0.9) == pytest.approx(84.06, abs=0.01)


def test_looking_costs_companies_and_both_arms_are_equal():
    assert inflation(1, 0.05, 0.8) == pytest.approx(1, abs=1e-5)
    assert sample_size(100, 1, 0.05, 0.8) == 200
    assert sample_size(100, 5, 0.05, 0.8) == 206


@pytest.mark.parametrize(
    ("companies", "at_start", "per_week", "observation", "days"),
    [
        (100, 100, 0, 30, 35),
        (100, 0, 50, 30, 49),
        (100, 50, 50, 3, 14),
        (100, 0, 10, 61, 133),
        (10, 500, 0, 1, 14),
    ],
)
def test_a_test_lasts_whole_weeks_until_all_are_counted(companies, at_start, per_week, observation, days):
    assert minimum_days(companies, at_start, per_week, observation) == days


def test_companies_that_never_join_are_not_waited_for():
    with pytest.raises(ValueError, match="90 of 100 companies are missing and none join"):
        minimum_days(100, 10, 0, 30)
