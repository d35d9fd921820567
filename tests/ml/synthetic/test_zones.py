"""Whole arrays through the changes of the clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.synthetic.zones import offsets_at, to_utc

ZONES = st.sampled_from(["Europe/Berlin", "America/New_York"])
YEAR = st.integers(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2027, 1, 1, tzinfo=UTC).timestamp()))


def naive_seconds(text: str) -> np.ndarray:
    return np.array([int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())])


@given(zone=ZONES, instants=st.lists(YEAR, min_size=1, max_size=20))
def test_offsets_are_those_of_the_zone(zone, instants):
    expected = [datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset().total_seconds() for second in instants]
    assert offsets_at(np.array(instants), zone).tolist() == expected


@given(zone=ZONES, instant=YEAR)
def test_an_instant_comes_back_from_its_local_time(zone, instant):
    utc = np.array([instant])
    local = utc + offsets_at(utc, zone)
    both = [to_utc(local, zone, np.array([second]))[0] for second in (False, True)]
    assert instant in both


@pytest.mark.parametrize(
    ("second", "utc"), [(False, "2026-10-25T00:30:00"), (True, "2026-10-25T01:30:00")], ids=["first", "second"]
)
def test_a_local_time_that_happens_twice_is_the_one_asked_for(second, utc):
    found = to_utc(naive_seconds("2026-10-25T02:30:00"), "Europe/Berlin", np.array([second]))
    assert found.tolist() == naive_seconds(utc).tolist()


@pytest.mark.parametrize("second", [False, True])
def test_a_local_time_that_does_not_exist_moves_forward(second):
    utc = to_utc(naive_seconds("2026-03-29T02:30:00"), "Europe/Berlin", np.array([second]))
    local = utc + offsets_at(utc, "Europe/Berlin")
    assert local.tolist() == naive_seconds("2026-03-29T03:30:00").tolist()
