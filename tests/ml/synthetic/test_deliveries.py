"""The order in which lines arrive."""

from datetime import date

import numpy as np
import pytest

from ml.synthetic import DEFAULT_PLAN_KEYS, Dirt
from ml.synthetic.calls import simulate_calls
from ml.synthetic.companies import make_companies
from ml.synthetic.deliveries import CHANGED, RESENT, deliver, schedule
from ml.synthetic.events import Window


@pytest.fixture(scope="module")
def delivered():
    """Half of 10 days of calls is late, half is sent again, and one call a day is changed."""
    start = date(2026, 10, 1)
    practice = make_companies(1, 10, start, 7, DEFAULT_PLAN_KEYS)[0]
    rng, window, dirt = (
        np.random.default_rng(3),
        Window(start, 10),
        Dirt(resend=0.5, late=0.5, conflicts=10, rejected_cap=1),
    )
    return deliver(schedule(simulate_calls(practice, 80, window, rng), window, dirt, rng), dirt, rng)


def test_an_original_comes_before_all_that_is_sent_again(delivered):
    seen = set()
    for number, status in zip(delivered.events["number"].tolist(), delivered.status.tolist(), strict=True):
        assert (number in seen) == (status in (RESENT, CHANGED))
        seen.add(number)
    assert {RESENT, CHANGED} <= set(delivered.status.tolist())


def test_lines_are_in_the_order_of_their_arrival(delivered):
    order = delivered.day + delivered.key
    assert (np.diff(order) >= 0).all()
    assert 0 <= delivered.key.min() <= delivered.key.max() < 1


def test_a_day_has_at_most_one_conflict(delivered):
    days = delivered.day[delivered.status == CHANGED]
    assert len(days) == len(set(days.tolist())) == len(set(delivered.day.tolist()))


def test_days_and_parts_lose_no_line(delivered):
    parts = [part for day in range(12) for part in delivered.on(day).parts(30)]
    assert all(0 < len(part.events) <= 30 for part in parts)
    assert np.array_equal(np.concatenate([part.events for part in parts]), delivered.events)
