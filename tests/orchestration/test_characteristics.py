from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from integrations.postgres.warehouse import append_rows, read_frame
from ml.analysis.characteristics import ACTIVITY_COLUMNS, describe_companies
from ml.analysis.definitions import DEFINITIONS_VERSION

DAYS = pd.date_range("2026-03-01", periods=14)
COUNTS = {"total_calls": 20 + np.arange(14), "total_seconds": 900, "after_hours_calls": 2}
BOOKINGS = {"successful_bookings": 9, "failed_bookings": 3}
STAMP = {"as_of": date(2026, 3, 15), "known_at": datetime(2026, 3, 15, 1, tzinfo=UTC)}


def test_characteristics_are_stored_as_they_were_found(connection):
    """One company with two weeks of usage, and one without any."""
    hourly = pd.DataFrame({"company_id": 1, "usage_date": DAYS, "local_hour": 9, **COUNTS, **BOOKINGS})
    windows = pd.DataFrame({"company_id": [1, 2], "window_start": DAYS[0], "window_end": pd.Timestamp("2026-03-15")})
    found = describe_companies(hourly, windows, pd.DataFrame(columns=ACTIVITY_COLUMNS))
    rows = [{**row, **STAMP} for row in found.merge(windows, on="company_id").to_dict("records")]
    append_rows(connection, "ml.business_characteristics", rows)

    stored = read_frame(connection, "select * from ml.business_characteristics order by company_id")
    pd.testing.assert_frame_equal(stored[found.columns.tolist()], found, check_dtype=False)
    assert stored["definitions_version"].tolist() == [DEFINITIONS_VERSION] * 2
    results = ["growth_low", "growth_high", "efficiency_score"]
    assert stored[results].notna().all(axis=1).tolist() == [True, False]
