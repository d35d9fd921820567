import numpy as np
import pytest

from ml.analysis.cube import usage_cube
from ml.analysis.efficiency import efficiency_score, load_factor


@pytest.fixture
def score(make_hourly, make_windows):
    def run(*rows):
        return efficiency_score(usage_cube(make_hourly(list(rows)), make_windows())).item()

    return run


@pytest.mark.parametrize(
    ("successful", "failed", "expected"), [(20, 0, 100), (0, 20, 30), (15, 5, 82.5), (19, 0, None), (0, 0, None)]
)
def test_it_rises_with_booking_success_and_needs_20_outcomes(score, successful, failed, expected):
    found = score({"total_calls": 40, "successful_bookings": successful, "failed_bookings": failed})
    assert found == pytest.approx(np.nan if expected is None else expected, nan_ok=True)


def test_it_rises_with_the_evenness_of_the_load(score):
    booked = {"successful_bookings": 30, "total_calls": 60}
    assert score(booked, {"local_hour": 11, "total_calls": 60}) == pytest.approx(100)
    assert score(booked, {"local_hour": 11, "total_calls": 20}) == pytest.approx(70 + 30 * 40 / 60)


def test_the_load_factor_leaves_out_hours_without_calls():
    calls = np.zeros((3, 24))
    calls[0, 9:13] = [4, 8, 2, 2]
    calls[1] = 5
    assert load_factor(calls) == pytest.approx([0.5, 1, np.nan], nan_ok=True)
