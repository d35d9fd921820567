import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.analysis.projection import project_usage

PARTS = ("business_hours_call_seconds", "after_hours_call_seconds")


def test_a_constant_day_is_projected_as_it_is_on_every_path(make_daily, make_windows):
    projection = project_usage(make_daily({"calls": [10] * 14}), make_windows(), paths=50)
    assert projection.meters == ("calls",)
    assert projection.monthly.shape == (1, 1, 50)
    assert projection.monthly == pytest.approx(300)
    assert projection.start.astype(str).tolist() == ["2024-03-18"]


def test_the_mean_of_the_paths_is_the_projection(make_daily, make_windows):
    week = [20, 10, 12, 11, 30, 1, 0]
    projection = project_usage(make_daily({"calls": week * 2}), make_windows(), paths=200)
    # 30 days from a Monday: four weeks, one more Monday and Tuesday, both shrunk halfway to the pooled profile
    # that here is the company's own.
    assert projection.expected().item() == pytest.approx(sum(week) * 4 + 20 + 10, rel=1e-6)


def test_few_paths_have_spread_and_the_mean_of_many(make_daily, make_windows):
    usage = make_daily({"calls": np.random.default_rng(4).poisson(200, 14).tolist()})
    few, many = (project_usage(usage, make_windows(), paths=paths) for paths in (7, 2000))
    assert few.expected() == pytest.approx(many.expected(), rel=0.01)
    assert few.monthly.std() > 0


def test_weekdays_that_were_never_seen_are_borrowed_from_the_peers(make_daily, make_windows):
    peers = [make_daily({"calls": [10] * 5 + [0, 0]}, company_id=company) for company in (2, 3, 4)]
    young = make_daily({"calls": [10] * 5})
    windows = make_windows(4, days=[5, 7, 7, 7])
    projection = project_usage(pd.concat([young, *peers]), windows, paths=20)
    # From Saturday on, 30 days hold 5 Saturdays, 5 Sundays and 20 working days.
    assert projection.expected()[0, 0] == pytest.approx(200, rel=0.02)


def test_one_day_of_history_gives_a_wide_projection(make_daily, make_windows):
    projection = project_usage(make_daily({"calls": [10]}), make_windows(days=1), paths=400)
    summary = projection.summary().iloc[0]
    assert summary["expected"] == pytest.approx(300, rel=0.1)
    assert summary["p90"] - summary["p10"] > 150


def test_no_history_gives_zeros(make_daily, make_windows):
    projection = project_usage(make_daily({"calls": [5] * 14}), make_windows(2))
    assert projection.monthly[1].sum() == 0
    empty = project_usage(make_daily({"calls": [5]}).head(0), make_windows(2), paths=7)
    assert empty.monthly.shape == (2, 0, 7)


def test_usage_at_or_after_the_window_end_is_not_seen(make_daily, make_windows):
    seen = project_usage(make_daily({"calls": [10] * 14}), make_windows())
    later = project_usage(make_daily({"calls": [10] * 14 + [900]}), make_windows())
    assert np.array_equal(seen.monthly, later.monthly)


def test_whole_days_are_drawn_so_meters_stay_correlated(make_daily, make_windows):
    calls = np.random.default_rng(1).poisson(20, 28).tolist()
    minutes = [120 * count for count in calls]
    projection = project_usage(make_daily({"calls": calls, "call_seconds": minutes}), make_windows(days=28))
    assert np.corrcoef(projection.monthly[0])[0, 1] > 0.99


def test_parts_add_up_to_their_whole_on_every_path(make_daily, make_windows):
    random = np.random.default_rng(2)
    business, after = random.poisson(900, 14), random.poisson(50, 14)
    usage = {"call_seconds": (business + after).tolist(), PARTS[0]: business.tolist(), PARTS[1]: after.tolist()}
    projection = project_usage(make_daily(usage), make_windows())
    paths = projection.usage(0)
    assert paths[PARTS[0]] + paths[PARTS[1]] == pytest.approx(paths["call_seconds"])


def test_the_same_seed_gives_the_same_paths_and_another_one_others(make_daily, make_windows):
    daily = make_daily({"calls": list(range(14))})
    first, again, other = (project_usage(daily, make_windows(), seed=seed).monthly for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_eight_of_ten_futures_fall_between_p10_and_p90():
    random = np.random.default_rng(5)
    companies = 2000
    rate = random.gamma(3, 8, (companies, 1)) * np.array([1.2, 1, 1, 1, 1.3, 0.5, 0.1] * 7)[:44]
    usage = random.poisson(rate * random.gamma(5, 1 / 5, rate.shape))
    company, day = np.nonzero(usage[:, :14] >= 0)
    start = pd.Timestamp("2024-03-04")
    daily = pd.DataFrame(
        {
            "company_id": company,
            "meter": "calls",
            "usage_date": start + pd.to_timedelta(day, unit="D"),
            "quantity": usage[company, day],
        }
    )
    windows = pd.DataFrame(
        {"company_id": range(companies), "window_start": start, "window_end": start + pd.Timedelta(days=14)}
    )
    summary = project_usage(daily, windows, seed=3).summary()
    inside = summary["p10"].le(usage[:, 14:].sum(axis=1)) & summary["p90"].ge(usage[:, 14:].sum(axis=1))
    assert 0.72 < inside.mean() < 0.88


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=20), min_size=1, max_size=4))
def test_paths_are_never_negative_and_blind_to_the_order_of_companies(histories):
    start = pd.Timestamp("2024-03-04")
    rows = [
        {"company_id": company, "meter": "calls", "usage_date": start + pd.Timedelta(days=day), "quantity": value}
        for company, history in enumerate(histories)
        for day, value in enumerate(history)
    ]
    lengths = pd.to_timedelta([len(history) for history in histories], unit="D")
    windows = pd.DataFrame({"company_id": range(len(histories)), "window_start": start, "window_end": start + lengths})
    projection = project_usage(pd.DataFrame(rows), windows, paths=20)
    turned = project_usage(pd.DataFrame(rows[::-1]), windows[::-1], paths=20)
    assert (projection.monthly >= 0).all()
    assert turned.monthly[::-1] == pytest.approx(projection.monthly)


@pytest.mark.parametrize(("horizon", "paths"), [(0, 1), (30, 0)])
def test_a_projection_needs_a_day_and_a_path(make_daily, make_windows, horizon, paths):
    with pytest.raises(ValueError, match="both must be 1 or more"):
        project_usage(make_daily({"calls": [1]}), make_windows(), horizon, paths)


def test_missing_columns_and_negative_quantities_are_refused(make_daily, make_windows):
    with pytest.raises(ValueError, match="meter_daily lacks the columns meter, quantity"):
        project_usage(make_daily({"calls": [1]}).drop(columns=["meter", "quantity"]), make_windows())
    with pytest.raises(ValueError, match="negative quantity"):
        project_usage(make_daily({"calls": [-1]}), make_windows())
