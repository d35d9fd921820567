import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.recommendation.choosers.calibration import FEWEST, PRIOR_STRENGTH, UNCALIBRATED, Calibration

SHARES = np.linspace(0, 1, 101)
switches = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=FEWEST, max_size=80)


@settings(max_examples=40, deadline=None)
@given(switches)
def test_it_never_falls_stays_inside_0_and_1_and_between_the_prior_and_what_was_seen(found):
    raw, cheaper = np.array([share for share, _ in found]), np.array([one for _, one in found])
    calibration = Calibration.learn(raw, cheaper)
    told, prior = calibration(SHARES), UNCALIBRATED(SHARES)
    assert (np.diff(told) >= -1e-12).all()
    assert ((told > 0) & (told < 1)).all()
    seen = np.interp(SHARES, calibration.raw, calibration.seen)
    assert (told >= np.minimum(seen, prior) - 1e-12).all()
    assert (told <= np.maximum(seen, prior) + 1e-12).all()
    assert Calibration.of(json.loads(json.dumps(calibration.as_json()))) == calibration


def test_a_few_switches_move_it_little_and_many_all_the_way():
    random = np.random.default_rng(0)
    gaps = []
    for count in (FEWEST, int(PRIOR_STRENGTH), 50_000):
        raw = random.uniform(0, 1, count)
        told = Calibration.learn(raw, random.random(count) < 0.2)(0.9)
        gaps.append(float(abs(told - UNCALIBRATED(0.9))))
    assert gaps[0] < 0.05
    assert gaps[1] == pytest.approx(abs(0.2 - UNCALIBRATED(0.9)) / 2, abs=0.07)
    assert gaps[2] == pytest.approx(abs(0.2 - UNCALIBRATED(0.9)), abs=0.03)


def test_shares_that_are_honest_come_out_as_they_are():
    random = np.random.default_rng(1)
    raw = random.uniform(0, 1, 50_000)
    told = Calibration.learn(raw, random.random(len(raw)) < raw)(SHARES[5:-5])
    assert told == pytest.approx(SHARES[5:-5], abs=0.04)


def test_too_few_switches_teach_nothing_and_one_value_is_enough():
    raw, cheaper = np.full(FEWEST, 1.0), np.ones(FEWEST, dtype=bool)
    assert Calibration.learn(raw[1:], cheaper[1:]) == UNCALIBRATED
    assert Calibration.learn(raw, cheaper)(1.0) > UNCALIBRATED(1.0)
    assert UNCALIBRATED(0.5) == pytest.approx(0.45)
