"""No signal knows usage at or after the end of its window."""

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.analysis.anomalies import find_anomalies
from ml.analysis.characteristics import describe_companies
from ml.analysis.churn import churn_risks
from ml.analysis.peers import benchmark_peers, peer_measures

DAYS, COMPANIES = 30, 6
QUANTITIES = st.sampled_from([0.0, 1.0, 9.0, 30.0, 200.0])
LATER = st.lists(st.tuples(st.integers(1, COMPANIES), st.integers(DAYS, DAYS + 40), QUANTITIES), min_size=1, max_size=8)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(QUANTITIES, min_size=DAYS, max_size=DAYS), LATER)
def test_usage_from_the_as_of_date_on_changes_no_signal(make_hourly, make_windows, make_activity, usage, later):
    past = [(company, day, usage[day - company]) for company in range(1, COMPANIES + 1) for day in range(DAYS)]
    windows = make_windows(COMPANIES, days=DAYS)

    def signals(rows):
        hourly = make_hourly(
            [
                {
                    "company_id": company,
                    "day": day,
                    "total_calls": calls,
                    "successful_bookings": calls if day >= DAYS else calls // 3,
                }
                for company, day, calls in rows
            ]
        )
        daily = hourly.rename(columns={"total_calls": "quantity"}).assign(meter="calls")
        characteristics = describe_companies(hourly, windows, make_activity(COMPANIES))
        peers = peer_measures(hourly, windows, characteristics).assign(industry="medical")
        return find_anomalies(daily, windows), churn_risks(daily, windows), benchmark_peers(peers)

    for seen, with_later in zip(signals(past), signals(past + later), strict=True):
        pd.testing.assert_frame_equal(seen, with_later)
