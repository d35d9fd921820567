"""Nothing that is said for an as-of date knows of usage at or after it."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.analysis.characteristics import describe_companies
from ml.analysis.patterns import find_patterns

AS_OF = pd.Timestamp("2024-04-01")
COMPANIES = 3
COUNTS = ("total_calls", "total_seconds", "after_hours_calls", "successful_bookings", "failed_bookings")
ACTIVITY = pd.DataFrame(
    {"company_id": [1, 2, 3], "unique_customers": 9, "returning_customers": 4, "distinct_services": 2}
).assign(total_revenue=0.0)


def rows(first_day, last_day):
    """Lists of (company, day before or after the as-of date, hour, count), also of a company without a window."""
    return st.lists(
        st.tuples(
            st.integers(1, COMPANIES + 1), st.integers(first_day, last_day), st.integers(0, 23), st.integers(0, 99)
        ),
        max_size=40,
    )


def frame(cells):
    company, day, hour, count = zip(*cells, strict=True) if cells else ((), (), (), ())
    dates = AS_OF + pd.to_timedelta(pd.Series(day, dtype="int64"), unit="D")
    keys = {"company_id": pd.Series(company, dtype="int64"), "usage_date": dates}
    counts = dict.fromkeys(COUNTS, pd.Series(count, dtype="int64"))
    return pd.DataFrame({**keys, "local_hour": pd.Series(hour, dtype="int64"), **counts})


@settings(max_examples=40, deadline=None)
@given(rows(-40, -1), rows(0, 40), st.lists(st.integers(1, 40), min_size=COMPANIES, max_size=COMPANIES))
def test_usage_at_or_after_the_as_of_date_changes_nothing(before, after, days):
    windows = pd.DataFrame(
        {"company_id": [1, 2, 3], "window_start": AS_OF - pd.to_timedelta(days, unit="D"), "window_end": AS_OF}
    )
    known, later = frame(before), frame(before + after)
    pd.testing.assert_frame_equal(find_patterns(later, windows), find_patterns(known, windows))
    pd.testing.assert_frame_equal(
        describe_companies(later, windows, ACTIVITY), describe_companies(known, windows, ACTIVITY)
    )
