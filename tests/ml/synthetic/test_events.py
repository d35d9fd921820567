"""The calendar arithmetic that events rest on."""

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.synthetic.events import Window, weekday_of


@given(day=st.dates(date(1999, 1, 1), date(2100, 1, 1)), second=st.integers(0, 86_399))
def test_the_weekday_is_that_of_the_calendar(day, second):
    window = Window(day, 3)
    assert weekday_of(np.array([window.first_second + second])).tolist() == [day.weekday()]
    assert window.weekdays.tolist() == [(day.weekday() + offset) % 7 for offset in range(3)]
