"""Boundaries against published ones, and what they promise."""

import numpy as np
import pytest

from ml.experiments.spending import (
    boundaries,
    crossing_probabilities,
    drift_for_power,
    spent_alpha,
    stagewise_p_value,
)


def equal(looks: int) -> tuple[float, ...]:
    return tuple((look + 1) / looks for look in range(looks))


# Of two sides, alpha 0.05: Reboussin, DeMets, Kim and Lan, Controlled Clinical Trials 21 (2000), and R's ldbounds.
@pytest.mark.parametrize(
    ("looks", "published"),
    [
        (1, (1.96,)),
        (2, (2.9626, 1.9686)),
        (3, (3.7103, 2.5114, 1.9930)),
        (4, (4.3326, 2.9631, 2.3590, 2.0141)),
        (5, (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)),
    ],
)
def test_boundaries_are_the_published_ones(looks, published):
    assert boundaries(equal(looks), 0.05) == pytest.approx(published, abs=2e-4)


@pytest.mark.parametrize("fractions", [(0.1, 0.3, 1.0), (0.5, 0.999, 1.0), (0.03, 0.2, 0.4, 0.6, 0.8, 0.95, 1.04)])
def test_whatever_the_shares_are_alpha_is_spent_and_no_more(fractions):
    stops = crossing_probabilities(fractions, boundaries(fractions, 0.05))
    assert sum(stops) == pytest.approx(0.05, abs=1e-9)
    spent = [spent_alpha(fraction, 0.05) for fraction in fractions]
    assert np.cumsum(stops) == pytest.approx(spent, abs=1e-9)


def test_a_last_look_with_fewer_than_planned_spends_all_that_is_left():
    fractions = (0.2, 0.45)
    assert sum(crossing_probabilities(fractions, boundaries(fractions, 0.05, True))) == pytest.approx(0.05, abs=1e-9)
    assert boundaries(fractions, 0.05, True)[-1] < boundaries(fractions, 0.05)[-1]


def test_drawn_paths_cross_as_often_as_integrated_ones():
    rng, fractions, drift = np.random.default_rng(1), np.array([0.25, 0.4, 1.0]), 2.0
    critical = boundaries(tuple(fractions), 0.05)
    steps = np.diff(fractions, prepend=0)
    process = np.cumsum(rng.normal(drift * steps, np.sqrt(steps), (200_000, 3)), axis=1)
    first = np.argmax(np.c_[np.abs(process / np.sqrt(fractions)) >= critical, np.ones(200_000, dtype=bool)], axis=1)
    drawn = np.bincount(first, minlength=4)[:3] / 200_000
    assert drawn == pytest.approx(crossing_probabilities(tuple(fractions), critical, drift), abs=0.004)


# Inflation of O'Brien-Fleming-like designs: 1.0247 for five looks is the square of 2.8360 / 2.8016.
def test_the_drift_of_a_single_look_is_the_sum_of_two_quantiles_and_more_looks_need_more():
    assert drift_for_power(1, 0.05, 0.8) == pytest.approx(1.959964 + 0.841621, abs=1e-4)
    drifts = [drift_for_power(looks, 0.05, 0.8) for looks in range(1, 6)]
    assert drifts == sorted(drifts)
    assert (drifts[-1] / drifts[0]) ** 2 == pytest.approx(1.0247, abs=1e-4)


def test_the_p_value_of_the_whole_test_is_alpha_on_its_last_boundary_and_1_without_any_effect():
    fractions, critical = equal(4), boundaries(equal(4), 0.05)
    assert stagewise_p_value(fractions, critical, critical[-1]) == pytest.approx(0.05, abs=1e-9)
    assert stagewise_p_value(fractions, critical, -critical[-1] - 0.1) < 0.05
    assert stagewise_p_value(fractions, critical, 0.0) == pytest.approx(1, abs=1e-9)
    assert stagewise_p_value(fractions[:1], critical, 1.96) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize("fractions", [(), (0.0, 1.0), (0.5, 0.5), (0.6, 0.4)])
def test_shares_that_do_not_ascend_are_refused(fractions):
    with pytest.raises(ValueError, match="do not ascend"):
        boundaries(fractions, 0.05)
