import numpy as np
import pandas as pd
import pytest

from ml.analysis import chunks
from ml.analysis.characteristics import describe_companies
from ml.analysis.chunks import usage_chunks
from ml.analysis.definitions import Thresholds
from ml.analysis.patterns import find_patterns


@pytest.fixture
def frames(make_hourly, make_windows):
    """Seven companies with windows of 3 to 70 days, in no order, and a row of a company that nobody asks for."""
    random = np.random.default_rng(3)
    rows = [
        {"company_id": company, "day": day, "local_hour": hour, "total_calls": random.integers(1, 9)}
        for company in (*range(1, 8), 99)
        for day in range(70)
        for hour in random.integers(0, 24, 2)
    ]
    return make_hourly(rows).sample(frac=1, random_state=0), make_windows(7, days=[14, 70, 3, 28, 14, 70, 7])


def test_chunks_keep_to_their_size_and_hold_every_company_once(frames, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_DAYS", 45)
    found = list(usage_chunks(*frames))
    assert [places.tolist() for places, _ in found] == [[0, 2, 6], [4], [3], [1], [5]]
    assert [cube.calls.shape for _, cube in found] == [(3, 14, 24), (1, 14, 24), (1, 28, 24), (1, 70, 24), (1, 70, 24)]
    assert all((cube.company_ids == places + 1).all() for places, cube in found)


def test_what_is_found_does_not_depend_on_the_chunks(frames, make_activity, monkeypatch):
    thresholds = Thresholds(unique_min_calls=1, unique_distance_above=0.3)
    found = find_patterns(*frames)
    described = describe_companies(*frames, make_activity(7), thresholds)
    assert described["has_unique_patterns"].nunique() == 2
    monkeypatch.setattr(chunks, "CHUNK_DAYS", 30)
    pd.testing.assert_frame_equal(find_patterns(*frames), found)
    pd.testing.assert_frame_equal(describe_companies(*frames, make_activity(7), thresholds), described)


def test_impossible_usage_is_refused_in_every_chunk(frames, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_DAYS", 30)
    hourly, windows = frames
    for company in (2, 7, 99):
        bad = hourly.assign(total_calls=hourly["total_calls"].where(hourly["company_id"] != company, -1))
        with pytest.raises(ValueError, match="negative or infinite total_calls"):
            find_patterns(bad, windows)


def test_no_companies_are_one_cube_without_any(frames):
    hourly, windows = frames
    ((places, cube),) = usage_chunks(hourly, windows.head(0))
    assert (len(places), cube.calls.shape) == (0, (0, 0, 24))
    assert len(find_patterns(hourly, windows.head(0))) == 0
