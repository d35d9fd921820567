"""Real input: a year of bike trips from 70 stations, and every mart of theirs against polars on the same file."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orchestration.dbt_runner import invoke
from tests.dbt_project.builds import build_usage, load_landed
from tests.feeds import company, lines

TRIPS = Path(__file__).parents[3] / "shared/data/bay_area_bikeshare_2014/trips.csv.gz"
NOW = datetime(2015, 1, 5, 12, tzinfo=UTC)
ZONE = "America/Los_Angeles"
YEAR = (date(2014, 1, 1), date(2015, 1, 2))
CLOCK_CHANGES = (date(2014, 3, 3), date(2014, 11, 10))
METERS = {"sessions": "total_events", "audio_seconds": "seconds", "unique_clients": "customers"}
COUNTS = (
    pl.len().alias("total_events"),
    pl.col("seconds").sum(),
    pl.col("customer").drop_nulls().n_unique().alias("customers"),
)

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not TRIPS.exists(), reason=f"the bike trips ({TRIPS.name}) are not beside the checkout"),
]


def read_trips() -> pl.DataFrame:
    """The file as it is, every field a text."""
    return pl.read_csv(TRIPS, infer_schema=False)


def in_local_time(trips: pl.DataFrame) -> pl.DataFrame:
    """What counts of each trip, in local time: a skipped hour is the next one, a repeated one the first."""
    written = pl.col("start_date").str.to_datetime("%Y-%m-%d %H:%M:%S")
    exists = written.dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null").is_not_null()
    local = pl.when(exists).then(written).otherwise(written.dt.offset_by("1h"))
    return trips.select(
        pl.col("start_terminal").alias("company"),
        local.dt.date().alias("usage_date"),
        local.dt.date().dt.truncate("1mo").alias("usage_month"),
        local.dt.hour().cast(pl.Int64).alias("local_hour"),
        pl.col("duration").cast(pl.Int64).alias("seconds"),
        pl.col("zip_code").str.slice(0, 5).alias("customer"),
        exists.alias("exists"),
    )


def load(pipeline, trips: pl.DataFrame | Path, first: date, end: date) -> None:
    """Land and load the companies and their trips, and build the whole range in one run."""
    start = f"{first}T00:00:00-08:00"
    keys = read_trips() if isinstance(trips, Path) else trips
    facts = {"time_zone": ZONE, "country": "US", "currency": "USD", "activated_at": start}
    rows = [company(key, **facts) for key in sorted(set(keys["start_terminal"]))]
    pipeline.land("companies", "companies.ndjson", lines(*rows))
    folder = pipeline.landing / "events/bikes"
    folder.mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "bikes.yaml", folder / "mapping.yaml")
    if isinstance(trips, Path):
        shutil.copy(trips, folder)
    else:
        trips.write_csv(folder / "trips.csv")
    load_landed(pipeline, NOW)
    invoke(["seed"], pipeline.warehouse.url)
    build_usage(pipeline, first, end, NOW)


def check_all(pipeline, trips: pl.DataFrame, first: date, end: date) -> None:
    """Compare loads, hours, days, meters and months of every company."""
    local = in_local_time(trips)
    check_loads(pipeline, local)
    hours = local.group_by("company", "usage_date", "local_hour").agg(pl.len().alias("total_events"))
    check(pipeline, "usage_date, local_hour, total_events::bigint", "marts.fct_usage_hourly", hours)
    check_days(pipeline, local, first, end)
    check_months(pipeline, local, first, end)


def check_loads(pipeline, local: pl.DataFrame) -> None:
    counts = pipeline.rows("select count_read, count_inserted, status from raw.loads where feed = 'events'")
    assert counts == [(local.height, local.height, "published")]
    shifted = pipeline.value("select count(*) from raw.usage_events where is_local_time_shifted")
    assert shifted == local.height - local["exists"].sum() > 0


def check_days(pipeline, local: pl.DataFrame, first: date, end: date) -> None:
    found = local.group_by("company", "usage_date").agg(COUNTS)
    dates = pl.DataFrame({"usage_date": pl.date_range(first, end, closed="left", eager=True)})
    every_day = local.select("company").unique().join(dates, how="cross")
    filled = every_day.join(found, on=["company", "usage_date"], how="left").fill_null(0)
    columns = "usage_date, total_events::bigint, unique_customers::bigint as customers"
    check(pipeline, columns, "marts.fct_usage_daily", filled.drop("seconds"))
    query = "usage_date, meter, quantity::bigint as quantity"
    check(pipeline, query, "marts.fct_meter_usage_daily", as_meters(found, "usage_date"), only_sessions())


def check_months(pipeline, local: pl.DataFrame, first: date, end: date) -> None:
    found = local.group_by("company", "usage_month").agg(COUNTS)
    query = "usage_month, meter, quantity::bigint as quantity"
    check(pipeline, query, "marts.fct_meter_usage_monthly", as_meters(found, "usage_month"), only_sessions())
    days = pl.DataFrame({"day": pl.date_range(first, end, closed="left", eager=True)})
    months = days.group_by(pl.col("day").dt.truncate("1mo").alias("usage_month")).agg(pl.len().alias("count_days"))
    every_month = local.select("company").unique().join(months, how="cross")
    filled = every_month.join(
        found.select("company", "usage_month", "customers"), on=["company", "usage_month"], how="left"
    )
    columns = "usage_month, count_days::bigint, unique_customers::bigint as customers"
    check(pipeline, columns, "marts.fct_usage_monthly", filled.fill_null(0))


def as_meters(found: pl.DataFrame, period: str) -> pl.DataFrame:
    """The counts as one row per meter; no row for a meter that counted nothing."""
    renamed = found.rename({column: meter for meter, column in METERS.items()})
    long = renamed.unpivot(index=["company", period], variable_name="meter", value_name="quantity")
    return long.filter((pl.col("meter") != "unique_clients") | (pl.col("quantity") > 0))


def only_sessions() -> str:
    return f"where meter in ({', '.join(map(repr, METERS))})"


def check(pipeline, columns: str, table: str, expected: pl.DataFrame, where: str = "") -> None:
    """Compare a table with a frame, column by column, whatever the order of the rows."""
    rows = pipeline.rows(
        f"select company_key as company, {columns} from {table} join raw.company_ids using (company_id) {where}"
    )
    names = ["company", *(column.split(" as ")[-1].split("::")[0].strip() for column in columns.split(","))]
    types = {name: expected.schema[name] if expected.schema[name] != pl.UInt32 else pl.Int64 for name in names}
    found = pl.DataFrame(rows, schema=types, orient="row")
    assert_frame_equal(found, expected.select(names).cast(types), check_row_order=False)


def test_the_weeks_in_which_the_clock_changes_are_right_at_three_stations(module_pipeline):
    first, end = CLOCK_CHANGES
    day = pl.col("start_date").str.to_date("%Y-%m-%d %H:%M:%S")
    changes = (first, end - timedelta(weeks=2))
    weeks = pl.any_horizontal(*(day.is_between(monday, monday + timedelta(days=13)) for monday in changes))
    trips = read_trips().filter(pl.col("start_terminal").is_in(["39", "49", "70"]) & weeks)
    load(module_pipeline, trips, first, end)
    check_all(module_pipeline, trips, first, end)


def test_every_station_is_right_on_every_day_of_the_year(pipeline):
    load(pipeline, TRIPS, *YEAR)
    check_all(pipeline, read_trips(), *YEAR)
