"""What adds up must add up: events to hours, days, weeks and months, branches to companies, in every grain."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ml.rating.catalogue import default_catalogue
from ml.rating.meters import TIMES_OF_DAY
from ml.synthetic import Dirt, write_world
from orchestration.dbt_runner import invoke
from orchestration.demo import deliver
from tests.dbt_project.builds import build_usage, load_landed, table_of, usage_nodes
from tests.feeds import event, lines

START, DAYS = date(2026, 10, 18), 18  # both clock changes, two Mondays and a month's end lie in it
END = START + timedelta(days=DAYS + 3)
NOW = datetime.combine(END, time(12), UTC)
DATE_COLUMNS = {"fct_usage_weekly": "usage_week", "fct_usage_monthly": "usage_month"}
COUNTED = {"calls": "total_calls", "call_seconds": "total_seconds", "appointments": "total_appointments"}
IS_CALL, IS_AFTER_HOURS = pl.col("event_type") == "call", pl.col("is_after_hours")
MEASURES = {
    "total_events": pl.len(),
    "total_calls": IS_CALL.sum(),
    "total_seconds": pl.col("duration_seconds").filter(IS_CALL).sum(),
    "successful_bookings": (IS_CALL & (pl.col("outcome") == "success")).sum(),
    "failed_bookings": (IS_CALL & (pl.col("outcome") == "failure")).sum(),
    "total_appointments": (pl.col("event_type") == "appointment").sum(),
    "after_hours_calls": (IS_CALL & IS_AFTER_HOURS).sum(),
    "total_revenue": (pl.col("revenue").sum() * 100).round(),
}


@pytest.fixture(scope="module")
def summed(module_pipeline, tmp_path_factory):
    """A dirty world of twelve companies, loaded; every fortieth event taken back; and built in one run."""
    folder = tmp_path_factory.mktemp("sums")
    dirt = Dirt(malformed_json=0.01, negative_duration=0.005, rejected_cap=0.04)
    catalogue = default_catalogue()
    write_world(folder, companies=12, days=DAYS, events=4000, start=START, catalogue=catalogue, dirt=dirt)
    deliver(sorted((folder / "arrivals").iterdir()), END, module_pipeline.landing)
    load_landed(module_pipeline, NOW)
    taken_back = module_pipeline.rows(
        "select company_key, source, event_id from raw.usage_events join raw.company_ids using (company_id)"
        " order by event_id, company_key"
    )[::40]
    voids = [
        event(f"void-{number}", f"{END}T00:00:00Z", key, type="void", voids={"id": event_id, "source": source})
        for number, (key, source, event_id) in enumerate(taken_back)
    ]
    module_pipeline.land("events", "voids.ndjson", lines(*voids))
    load_landed(module_pipeline, NOW)
    invoke(["seed"], module_pipeline.warehouse.url)
    build_usage(module_pipeline, START, END, NOW)
    return module_pipeline


def counting_events(pipeline) -> pl.DataFrame:
    """The raw events that count: neither voids nor what they take back."""
    columns = ("company_id", "branch_id", "usage_date", "local_minute", "event_type", "source", "event_id", "customer")
    columns += ("duration_seconds", "outcome", "revenue::float8 as revenue", "is_after_hours")
    events = frame(pipeline, f"select {', '.join(columns)} from raw.usage_events")
    voids = frame(pipeline, "select company_id, source, event_id from raw.voids")
    assert len(voids) > 50
    kept = events.filter(pl.col("event_type") != "void").join(voids, on=voids.columns, how="anti")
    assert len(kept) == len(events) - 2 * len(voids)
    return kept.with_columns(local_hour=pl.col("local_minute") // 60)


def frame(pipeline, query: str) -> pl.DataFrame:
    return pl.from_pandas(pipeline.warehouse.read(query))


def stored(pipeline, table: str, keys: list[str]) -> pl.DataFrame:
    """The additive measures of a mart, revenue in cents; without rows in which nothing happened."""
    measures = [f"{name}::float8" for name in MEASURES if name != "total_revenue"]
    select = ", ".join([*keys, *measures, "round(total_revenue * 100)::float8 as total_revenue"])
    return frame(pipeline, f"select {select} from {table} where total_events > 0")


def check_same(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    assert_frame_equal(found, expected, check_row_order=False, check_column_order=False, check_dtypes=False)


def test_hours_are_what_the_events_are_that_nobody_took_back(summed):
    keys = ["company_id", "branch_id", "usage_date", "local_hour"]
    expected = counting_events(summed).group_by(keys).agg(**MEASURES)
    check_same(stored(summed, "marts.fct_usage_hourly", keys), expected)


def test_days_are_what_the_events_are_and_their_customers_are_counted_once(summed):
    keys = ["company_id", "branch_id", "usage_date"]
    events = counting_events(summed)
    check_same(stored(summed, "marts.fct_usage_daily", keys), events.group_by(keys).agg(**MEASURES))
    query = f"select {', '.join(keys)}, unique_customers from marts.fct_usage_daily where unique_customers > 0"
    customers = events.drop_nulls("customer").group_by(keys).agg(unique_customers=pl.col("customer").n_unique())
    check_same(frame(summed, query), customers)


def test_weeks_and_months_are_the_sums_of_their_days_with_customers_counted_anew(summed):
    events = counting_events(summed)
    coarser = [node for node in usage_nodes() if node["name"] in DATE_COLUMNS]
    assert coarser
    for node in coarser:
        column, table = DATE_COLUMNS[node["name"]], table_of(node)
        keys = ["company_id", "branch_id", column]
        grain = column.removeprefix("usage_")
        measures = [name for name in MEASURES if name in node["columns"]]
        sums = ", ".join(f"sum({name})" for name in measures)
        days = f"select company_id, branch_id, date_trunc('{grain}', usage_date)::date, count(*), {sums}"
        days += " from marts.fct_usage_daily group by 1, 2, 3 order by 1, 2, 3"
        periods = f"select {', '.join(keys)}, count_days, {', '.join(measures)} from {table} order by 1, 2, 3"
        assert summed.rows(periods) == summed.rows(days)
        period = pl.col("usage_date").dt.truncate("1w" if grain == "week" else "1mo").alias(column)
        customers = events.drop_nulls("customer").group_by("company_id", "branch_id", period)
        query = f"select {', '.join(keys)}, unique_customers from {table} where unique_customers > 0"
        check_same(frame(summed, query), customers.agg(unique_customers=pl.col("customer").n_unique()))


def test_the_branches_of_a_company_add_up_to_the_company(summed):
    branches = summed.rows(
        "select company_id, usage_date, sum(total_events)::int from marts.fct_usage_daily group by 1, 2"
        " having sum(total_events) > 0 order by 1, 2"
    )
    assert len({company for company, *_ in branches}) == 12
    companies = "select company_id, usage_date, total_events from marts.fct_event_lateness order by 1, 2"
    assert summed.rows(companies) == branches


@pytest.mark.parametrize(("meter", "measure"), COUNTED.items())
def test_a_meter_counts_what_the_mart_of_its_days_and_months_counts(summed, meter, measure):
    usage = f"select company_id, usage_date, branch_id, {measure} from marts.fct_usage_daily where total_events > 0"
    metered = "select company_id, usage_date, branch_id, quantity from marts.fct_meter_usage_daily where meter = %s"
    assert {row for row in summed.rows(metered, meter) if row[-1]} == {row for row in summed.rows(usage) if row[-1]}
    months = f"select company_id, usage_month, sum({measure}) from marts.fct_usage_monthly group by 1, 2"
    metered = "select company_id, usage_month, quantity from marts.fct_meter_usage_monthly where meter = %s"
    assert {row for row in summed.rows(metered, meter) if row[-1]} == {row for row in summed.rows(months) if row[-1]}


@pytest.mark.parametrize("split", TIMES_OF_DAY["call_seconds"], ids="-".join)
def test_seconds_at_each_time_of_the_day_are_all_seconds(summed, split):
    query = (
        "select company_id, usage_date, branch_id, sum(quantity) from marts.fct_meter_usage_daily"
        " where meter = any(%s) group by 1, 2, 3 order by 1, 2, 3"
    )
    parts = summed.rows(query, list(split.values()))
    assert parts == summed.rows(query, ["call_seconds"]) != []


def test_every_branch_has_each_of_its_days_once_and_without_gaps(summed):
    gaps = summed.rows(
        "select company_id, branch_id from marts.fct_usage_daily group by 1, 2"
        " having count(*) <> max(usage_date) - min(usage_date) + 1"
    )
    assert gaps == []


def test_a_second_build_of_the_whole_range_changes_nothing(summed):
    tables = list(map(table_of, usage_nodes()))
    before = summed.fingerprint(*tables)
    build_usage(summed, START, END, NOW)
    assert summed.fingerprint(*tables) == before
