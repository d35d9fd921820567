"""The meters that may be priced are those that the marts count, in the same units."""

import csv
from pathlib import Path

from ml.rating.meters import METERS, TIMES_OF_DAY

SEED = Path(__file__).parents[3] / "dbt_project/seeds/billable_meters.csv"


def seeded() -> dict[str, dict[str, str]]:
    with SEED.open(newline="", encoding="utf-8") as file:
        return {row["meter"]: row for row in csv.DictReader(file)}


def test_the_seed_counts_every_meter_that_may_be_priced_and_in_the_same_unit() -> None:
    priced = {name: (meter.unit, meter.aggregation) for name, meter in METERS.items()}
    assert {name: (row["unit"], row["aggregation"]) for name, row in seeded().items()} == priced


def test_events_are_kept_of_the_meters_whose_events_may_be_priced() -> None:
    by_event = {name: str(meter.by_event).lower() for name, meter in METERS.items()}
    assert {name: row["is_priced_by_event"] for name, row in seeded().items()} == by_event


def test_the_parts_of_a_day_count_the_same_field_of_the_same_events() -> None:
    rows = seeded()
    for whole, splits in TIMES_OF_DAY.items():
        for split in splits:
            for time, meter in split.items():
                assert rows[meter]["filter"].rpartition("=")[2] == time
                assert {**rows[meter], "meter": whole, "filter": ""} == rows[whole]
