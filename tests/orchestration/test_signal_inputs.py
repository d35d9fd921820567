"""Which days may be judged: complete ones, without a hole, up to the as-of date."""

from datetime import date

import pandas as pd
import pytest

from orchestration.signal_inputs import complete_windows, last_days, publication_date

AS_OF = date(2026, 11, 1)


def days(*complete: str, company_id: int = 1, incomplete: tuple[str, ...] = ()) -> pd.DataFrame:
    rows = [(company_id, day, True) for day in complete] + [(company_id, day, False) for day in incomplete]
    frame = pd.DataFrame(rows, columns=["company_id", "usage_date", "is_complete"])
    return frame.assign(usage_date=pd.to_datetime(frame["usage_date"]))


def spans(windows: pd.DataFrame) -> list[tuple[int, str, str]]:
    return [(row.company_id, str(row.window_start.date()), str(row.window_end.date())) for row in windows.itertuples()]


def test_a_window_ends_with_the_last_complete_day():
    found = complete_windows(days("2026-10-29", "2026-10-30", incomplete=("2026-10-31",)), AS_OF)
    assert spans(found) == [(1, "2026-10-29", "2026-10-31")]


def test_a_day_that_is_missing_or_incomplete_is_no_day_without_usage():
    frame = days("2026-10-25", "2026-10-26", "2026-10-28", "2026-10-30", "2026-10-31", incomplete=("2026-10-29",))
    assert spans(complete_windows(frame, AS_OF)) == [(1, "2026-10-30", "2026-11-01")]


def test_a_company_that_has_ended_is_left_out_and_days_from_the_as_of_date_on_do_not_count():
    frame = pd.concat([days("2026-10-28"), days("2026-10-27", company_id=2), days("2026-11-01", company_id=3)])
    assert spans(complete_windows(frame, AS_OF)) == [(1, "2026-10-28", "2026-10-29")]


def test_companies_do_not_continue_each_other():
    frame = pd.concat([days("2026-10-30"), days("2026-10-31", company_id=2)])
    assert spans(complete_windows(frame, AS_OF)) == [(1, "2026-10-30", "2026-10-31"), (2, "2026-10-31", "2026-11-01")]


def test_nobody_is_an_empty_frame():
    assert complete_windows(days(), AS_OF).columns.tolist() == ["company_id", "window_start", "window_end"]


def test_windows_are_cut_to_their_last_days():
    found = last_days(complete_windows(days("2026-10-29", "2026-10-30", "2026-10-31"), AS_OF), 2)
    assert spans(found) == [(1, "2026-10-30", "2026-11-01")]


@pytest.mark.parametrize(("at", "first"), [("2026-11-01", "2026-11-01"), ("2026-11-30", "2026-11-01")])
def test_benchmarks_hold_for_their_month(at, first):
    assert publication_date(date.fromisoformat(at)).isoformat() == first
