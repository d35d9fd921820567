from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.analysis.characteristics import describe_companies
from ml.analysis.peers import BENCHMARK_COLUMNS, PEER_MEASURES, benchmark_peers, peer_measures


def make_companies(groups: list[tuple[str, str, int]], calls: list[float] | None = None) -> pd.DataFrame:
    """So many companies of each (industry, volume), with the same measures unless `calls` says otherwise."""
    rows = [(industry, volume) for industry, volume, count in groups for _ in range(count)]
    frame = pd.DataFrame(rows, columns=["industry", "volume_category"])
    frame = frame.assign(**dict.fromkeys(PEER_MEASURES, 10.0), company_id=range(len(frame)))
    return frame if calls is None else frame.assign(calls_per_day=calls)


def published(frame: pd.DataFrame, measure: str = "calls_per_day") -> set[tuple[str, str]]:
    rows = frame[frame["measure"] == measure]
    return set(zip(rows["industry"], rows["volume_category"], strict=True))


def test_groups_of_five_are_published_by_industry_and_volume():
    found = benchmark_peers(make_companies([("beauty", "low", 5), ("beauty", "high", 5), ("medical", "low", 6)]))
    assert found.columns.tolist() == list(BENCHMARK_COLUMNS)
    assert published(found) == {
        ("all", "all"),
        ("beauty", "all"),
        ("beauty", "low"),
        ("beauty", "high"),
        ("medical", "all"),
        ("medical", "low"),
    }
    assert set(found["measure"]) == set(PEER_MEASURES)
    assert found["count_companies"].min() == 5


def test_a_small_industry_is_withheld_and_a_second_one_with_it():
    found = benchmark_peers(make_companies([("beauty", "low", 8), ("medical", "low", 6), ("law", "low", 4)]))
    # All minus beauty and medical would be the four lawyers, so the smaller of the two is withheld as well.
    assert published(found) == {("all", "all"), ("beauty", "all"), ("beauty", "low")}


def test_a_small_cell_is_withheld_and_a_second_one_with_it():
    found = benchmark_peers(make_companies([("beauty", "low", 7), ("beauty", "medium", 6), ("beauty", "high", 2)]))
    assert published(found) == {("all", "all"), ("beauty", "all"), ("beauty", "low")}


def test_fewer_than_five_companies_publish_nothing():
    assert benchmark_peers(make_companies([("beauty", "low", 4)])).empty
    assert benchmark_peers(make_companies([])).empty


def test_a_group_carried_by_one_company_is_withheld():
    groups = [("beauty", "low", 6), ("medical", "low", 6)]
    calls = [900.0, 20, 20, 20, 20, 20, *[50.0] * 6]
    # Four times 20 is less than a tenth of 900. Medical goes too: all minus medical would be that group.
    assert published(benchmark_peers(make_companies(groups, calls))) == {("all", "all")}
    calls[0] = 800.0
    assert ("beauty", "all") in published(benchmark_peers(make_companies(groups, calls)))


def test_quartiles_have_two_significant_digits():
    calls = [1.234, 12.34, 123.4, 1234.0, 1334.0]
    found = benchmark_peers(make_companies([("beauty", "low", 5)], calls)).set_index(["measure", "industry"])
    row = found.loc[("calls_per_day", "all")]
    assert row[["p25", "median", "p75"]].tolist() == [12, 120, 1200]


def test_a_company_without_a_measure_counts_nowhere_in_it():
    companies = make_companies([("beauty", "low", 6)])
    companies.loc[:1, "growth_per_week"] = np.nan
    found = benchmark_peers(companies)
    assert published(found, "growth_per_week") == set()
    assert ("beauty", "low") in published(found)


def test_names_of_totals_and_companies_that_come_twice_are_refused():
    companies = make_companies([("all", "low", 6)])
    with pytest.raises(ValueError, match='called "all"'):
        benchmark_peers(companies)
    with pytest.raises(ValueError, match="repeats"):
        benchmark_peers(make_companies([("beauty", "low", 6)]).assign(company_id=1))
    with pytest.raises(ValueError, match="growth_per_week"):
        benchmark_peers(companies.drop(columns="growth_per_week"))


WORLDS = st.lists(
    st.tuples(
        st.sampled_from(["beauty", "law", "medical"]),
        st.sampled_from(["low", "medium", "high"]),
        st.sampled_from([0.0, 1.0, 3.0, 40.0, 900.0]),
        st.booleans(),
    ),
    max_size=45,
)


@settings(max_examples=50, deadline=None)
@given(WORLDS)
def test_no_published_group_minus_others_leaves_one_to_four_companies(world):
    companies = pd.DataFrame(
        [
            {"industry": industry, "volume_category": volume, **dict.fromkeys(PEER_MEASURES, calls)}
            | ({} if has_growth else {"growth_per_week": np.nan})
            for industry, volume, calls, has_growth in world
        ],
        columns=["industry", "volume_category", *PEER_MEASURES],
    ).assign(company_id=range(len(world)))
    found = benchmark_peers(companies)
    for measure in PEER_MEASURES:
        known = companies[companies[measure].notna()]
        for left in differences(known, published(found, measure)):
            assert left.empty or (len(left) >= 5 and not is_carried(left["calls_per_day"]))


def differences(companies: pd.DataFrame, groups: set[tuple[str, str]]):
    """Every published group, less every set of published groups inside it."""
    if ("all", "all") not in groups:
        assert not groups
        return
    ways = []
    for industry in sorted(companies["industry"].unique()):
        cells = [volume for name, volume in groups if name == industry and volume != "all"]
        subsets = [{cell for cell, taken in zip(cells, flags, strict=True) if taken}
                   for flags in product([False, True], repeat=len(cells))]  # fmt: skip
        whole = [None] if (industry, "all") in groups else []
        assert whole or not cells
        of_industry = companies[companies["industry"] == industry]
        lefts = [of_industry[~of_industry["volume_category"].isin(subset)] for subset in subsets]
        if whole:
            yield from lefts
        yield from (of_industry[of_industry["volume_category"] == cell] for cell in cells)
        ways.append([*lefts, *(of_industry.head(0) for _ in whole)])
    for choice in product(*ways):
        yield pd.concat(choice) if choice else companies


def is_carried(calls: pd.Series) -> bool:
    largest = sorted(calls)
    return sum(largest[:-2]) < 0.1 * largest[-1]


def test_measures_are_those_of_used_companies_with_two_whole_weeks(make_hourly, make_windows, make_activity):
    hourly = make_hourly(
        [
            {"company_id": 1, "total_calls": 28, "successful_bookings": 7, "after_hours_calls": 14},
            {"company_id": 1, "day": -3, "total_calls": 500, "successful_bookings": 500},
            {"company_id": 2, "day": 3, "total_calls": 5},
        ]
    )
    windows = make_windows(3, days=[14, 13, 14])
    characteristics = describe_companies(hourly, windows, make_activity(3))
    found = peer_measures(hourly, windows, characteristics)
    assert found["company_id"].tolist() == [1]
    row = found.iloc[0]
    assert (row["calls_per_day"], row["average_call_seconds"], row["after_hours_ratio"], row["conversion_rate"]) == (
        2, 120, 0.5, 0.25,
    )  # fmt: skip


def test_usage_after_the_window_changes_no_measure(make_hourly, make_windows, make_activity):
    rows = [{"company_id": company, "day": day} for company in (1, 2) for day in range(14)]
    frames = [make_hourly(rows), make_hourly([*rows, {"company_id": 1, "day": 14, "total_calls": 900}])]
    windows = make_windows(2)
    found = [peer_measures(frame, windows, describe_companies(frame, windows, make_activity(2))) for frame in frames]
    pd.testing.assert_frame_equal(*found)
