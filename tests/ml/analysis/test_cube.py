import pandas as pd
import pytest

from ml.analysis.cube import usage_cube


def test_a_row_lands_in_its_company_day_and_hour(make_hourly, make_windows):
    hourly = make_hourly([{"company_id": 2, "day": 3, "local_hour": 9, "total_calls": 7, "total_seconds": 70}])
    cube = usage_cube(hourly, make_windows(2))
    assert cube.calls.shape == (2, 14, 24)
    assert cube.calls[1, 3, 9] == cube.calls.sum() == 7
    assert cube.seconds[1, 3, 9] == 70


def test_rows_of_the_same_hour_are_summed(make_hourly, make_windows):
    cube = usage_cube(make_hourly([{"total_calls": 2}, {"total_calls": 3}]), make_windows())
    assert cube.calls[0, 0, 10] == 5


@pytest.mark.parametrize(("day", "counts"), [(-1, 0), (0, 1), (13, 1), (14, 0)])
def test_the_window_holds_its_first_day_and_not_its_end(make_hourly, make_windows, day, counts):
    assert usage_cube(make_hourly([{"day": day}]), make_windows(days=14)).calls.sum() == counts


def test_every_company_is_aligned_to_its_own_window(make_hourly):
    windows = pd.DataFrame(
        {
            "company_id": [1, 2],
            "window_start": pd.to_datetime(["2024-03-04", "2020-01-01"]),
            "window_end": pd.to_datetime(["2024-03-11", "2020-01-04"]),
        }
    )
    hourly = make_hourly([{"company_id": 1, "day": 6}, {"company_id": 2, "day": 0}])
    hourly.loc[1, "usage_date"] = pd.Timestamp("2020-01-03")
    cube = usage_cube(hourly, windows)
    assert cube.calls.shape == (2, 7, 24)
    assert cube.calls[0, 6].sum() == cube.calls[1, 2].sum() == 1
    assert cube.valid.sum(axis=1).tolist() == [7, 3]
    assert cube.weekdays[:, 0].tolist() == [0, 2]


def test_companies_without_a_window_do_not_count(make_hourly, make_windows):
    assert usage_cube(make_hourly([{"company_id": 99}]), make_windows(2)).calls.sum() == 0


def test_no_companies_give_an_empty_cube(make_hourly, make_windows):
    assert usage_cube(make_hourly([{}]), make_windows().head(0)).calls.shape == (0, 0, 24)


def test_the_error_names_every_missing_column(make_hourly, make_windows):
    hourly = make_hourly([{}]).drop(columns=["local_hour", "after_hours_calls"])
    with pytest.raises(ValueError, match=r"hourly lacks the columns local_hour, after_hours_calls"):
        usage_cube(hourly, make_windows())


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"local_hour": 24}, "outside 0..23"),
        ({"total_calls": -1}, "negative or infinite total_calls"),
        ({"total_calls": float("nan")}, "missing, negative"),
        ({"total_calls": float("inf")}, "or infinite total_calls"),
        ({"local_hour": float("nan")}, "outside 0..23"),
    ],
)
def test_impossible_usage_is_refused(make_hourly, make_windows, override, message):
    with pytest.raises(ValueError, match=message):
        usage_cube(make_hourly([override]), make_windows())


def test_a_missing_date_is_refused(make_hourly, make_windows):
    with pytest.raises(ValueError, match="missing usage_date"):
        usage_cube(make_hourly([{}]).assign(usage_date=pd.NaT), make_windows())


def test_windows_without_a_day_or_with_a_repeated_company_are_refused(make_hourly, make_windows):
    with pytest.raises(ValueError, match="no day for the companies"):
        usage_cube(make_hourly([{}]), make_windows(days=0))
    with pytest.raises(ValueError, match="repeats the companies"):
        usage_cube(make_hourly([{}]), pd.concat([make_windows(), make_windows()]))
