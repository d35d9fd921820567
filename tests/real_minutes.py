"""Minutes by account and day of other people's services, where their data lies beside the checkout."""

from pathlib import Path

import pandas as pd

__all__ = ["FILES", "minutes_of"]

DATA = Path(__file__).parents[2] / "shared/data"
FILES = {
    "bikeshare": DATA / "bay_area_bikeshare_2014/trips.csv.gz",
    "flights": DATA / "nyc_flights_2013/usage.csv.gz",
}
LONGEST = 24 * 60 * 60
"""Seconds of a trip beyond which a bicycle was lost rather than used."""


def minutes_of(name: str) -> pd.DataFrame:
    """The table account, date, meter, quantity of one of the FILES."""
    if name == "flights":
        usage = pd.read_csv(FILES[name], dtype={"account": str})
        return usage[usage["meter"] == "minutes"]
    trips = pd.read_csv(
        FILES[name], usecols=["duration", "start_date", "start_terminal"], dtype={"start_terminal": str}
    )
    trips = trips[trips["duration"] < LONGEST]
    keys = [trips["start_terminal"].rename("account"), trips["start_date"].str[:10].rename("date")]
    minutes = (trips["duration"] / 60).groupby(keys).sum()
    return minutes.rename("quantity").reset_index().assign(meter="minutes")
