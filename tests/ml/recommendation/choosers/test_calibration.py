import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.recommendation.choosers.calibration import FEWEST, PRIOR_STRENGTH, SHARED, Calibration

UNCALIBRATED = Calibration()
SHARES = np.linspace(0, 1, 101)
FAR_APART = np.arange(50_000)
"""Times of switches of which each one tells something new."""
switches = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=FEWEST, max_size=80)


@settings(max_examples=40, deadline=None)
@given(switches)
def test_it_never_falls_stays_inside_0_and_1_and_between_the_prior_and_what_was_seen(found):
    raw, cheaper = np.array([share for share, _ in found]), np.array([one for _, one in found])
    calibration = Calibration.learn(raw, cheaper, np.arange(len(raw)) // 10)
    told, prior = calibration(SHARES), UNCALIBRATED(SHARES)
    assert (np.diff(told) >= -1e-12).all()
    assert ((told > 0) & (told < 1)).all()
    seen = np.interp(SHARES, calibration.raw, calibration.seen)
    assert (told >= np.minimum(seen, prior) - 1e-12).all()
    assert (told <= np.maximum(seen, prior) + 1e-12).all()
    assert Calibration.of(json.loads(json.dumps(calibration.as_json()))) == calibration


@pytest.mark.parametrize("count", [FEWEST, int(PRIOR_STRENGTH), 1_000, 50_000])
def test_a_few_switches_move_it_little_and_many_all_the_way(count):
    random = np.random.default_rng(0)
    raw = random.uniform(0, 1, count)
    told = Calibration.learn(raw, np.arange(count) % 5 == 0, FAR_APART[:count])(0.5)
    weight = count / (count + PRIOR_STRENGTH)
    assert told == pytest.approx(weight * 0.2 + (1 - weight) * UNCALIBRATED(0.5), abs=0.06)


def test_shares_that_are_honest_come_out_as_they_are():
    random = np.random.default_rng(1)
    raw = random.uniform(0, 1, 50_000)
    told = Calibration.learn(raw, random.random(len(raw)) < raw, FAR_APART)(SHARES[5:-5])
    assert told == pytest.approx(SHARES[5:-5], abs=0.04)


def test_switches_of_one_time_are_worth_fewer_than_those_of_many():
    raw, cheaper = np.linspace(0, 1, 1_000), np.arange(1_000) % 5 == 0
    once, often = (Calibration.learn(raw, cheaper, times) for times in (np.zeros(1_000), FAR_APART[:1_000]))
    assert (once.count, often.count) == (1_000, 1_000)
    assert once.independent == pytest.approx(1_000 / (1 + 999 * SHARED))
    assert often.independent == 1_000
    assert abs(once(0.9) - UNCALIBRATED(0.9)) < abs(often(0.9) - UNCALIBRATED(0.9))


def test_too_few_switches_teach_nothing_and_one_value_is_enough():
    raw, cheaper, times = np.full(FEWEST, 1.0), np.ones(FEWEST, dtype=bool), np.zeros(FEWEST)
    assert Calibration.learn(raw[1:], cheaper[1:], times[1:]) == UNCALIBRATED
    assert Calibration.learn(raw, cheaper, times)(1.0) > UNCALIBRATED(1.0)
    assert UNCALIBRATED(0.5) == pytest.approx(0.45)
