"""What the anomaly detection is held to: under 1 % false alarms, at least 90 % of outages and bursts found."""

from pathlib import Path

import pandas as pd
import pytest

from ml.evaluation.anomalies import measure_detection

DATA = Path(__file__).parents[4] / "shared/data"


def test_a_small_world_keeps_the_figures(make_usage):
    rates = measure_detection(*make_usage(companies=48, days=45, events=80_000, seed=31))
    assert rates.company_days > 700
    assert rates.false_alarms < 0.01
    assert min(rates.outages_found, rates.bursts_found) >= 0.9
    # Nobody is left out without being counted.
    assert 0.3 < rates.without_outage < 0.6
    assert rates.outages_found_of_all > 0.5


@pytest.mark.long
def test_simulated_worlds_keep_the_figures_together(make_usage):
    rates = [
        measure_detection(*make_usage(companies=120, days=75, events=events, seed=seed))
        for seed, events in ((21, 100_000), (22, 200_000), (23, 400_000))
    ]
    assert sum(rate.false_alarms for rate in rates) / 3 < 0.01
    assert sum(rate.outages_found for rate in rates) / 3 >= 0.95
    assert sum(rate.bursts_found for rate in rates) / 3 >= 0.9


@pytest.mark.long
@pytest.mark.parametrize("dispersion", [20, 50])
def test_negative_binomial_counts_keep_the_figures(make_counts, dispersion):
    rates = measure_detection(*make_counts(companies=400, days=60, dispersion=dispersion, seed=41))
    assert rates.false_alarms < 0.01
    assert min(rates.outages_found, rates.bursts_found) >= 0.9


@pytest.mark.long
@pytest.mark.skipif(not DATA.exists(), reason="the real data is not here")
def test_real_trips_raise_few_alarms():
    trips = pd.read_csv(DATA / "bay_area_bikeshare_2014/trips.csv.gz", usecols=["start_terminal", "start_date"])
    trips = trips.assign(usage_date=pd.to_datetime(trips["start_date"]).dt.normalize(), meter="sessions")
    usage = trips.groupby(["start_terminal", "meter", "usage_date"]).size().astype(float).rename("quantity")
    usage = usage.reset_index().rename(columns={"start_terminal": "company_id"})
    dates = usage.groupby("company_id")["usage_date"]
    windows = pd.DataFrame({"window_start": dates.min(), "window_end": dates.max() + pd.Timedelta(days=1)})
    rates = measure_detection(usage, windows.reset_index())
    assert rates.company_days > 20_000
    assert rates.false_alarms < 0.01
