"""However a range of dates is split into runs, in whatever order and however often, the marts end up the same."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.dbt_runner import invoke
from tests.dbt_project.builds import build_usage, load_landed, table_of, usage_nodes
from tests.feeds import PLANS, company, event, lines, subscription

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST, DAYS = date(2026, 10, 23), 13  # a month's end, two Mondays, and the clock changes of both zones
pytestmark = pytest.mark.long
# Without shrinking, since each attempt costs seconds.
DRAWN = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    report_multiple_bugs=False,
)
ZONES = {"Europe/Berlin": "EUR", "America/New_York": "USD"}
KEYS = [f"{name}-{number}" for name in ("berlin", "york") for number in range(5)]  # enough for benchmarks of peers


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def events_of(key: str) -> list[dict[str, Any]]:
    """Customers who stay away and come back, levels with gaps, peaks, revenue, and an event taken back."""
    found: list[dict[str, Any]] = []

    def add(number: int, hour: int, type: str, **data: Any) -> None:
        name = f"{key}-{len(found)}"
        found.append(event(name, f"{day(number)}T{hour:02}:30:00Z", key, type, **data))

    step = KEYS.index(key) % 3 + 1
    currency = "EUR" if key.startswith("berlin") else "USD"
    for number in range(0, DAYS, step):
        branch = {"branch": f"b-{number % 2}"} if number % 3 else {}
        outcome = ("success", "failure", "missed")[number % 3]
        add(number, 13 + number % 3, "call", customer=f"c-{number * 5 % 7}", outcome=outcome, channel="web", **branch)
        add(number, 9, "session", customer=f"c-{number * 3 % 5}", duration_seconds=60 + number, **branch)
        add(number, 10, "concurrency", quantity=number * 7 % 11, **branch)
        paid = {"revenue": 10 + number, "currency": currency}
        add(number, 15, "appointment", customer="c-9", outcome="completed", service=f"s-{number % 2}", **paid, **branch)
    for number in (1, 6, 7, 11):
        add(number, 8, "storage", quantity=100 - number * step, branch=f"b-{number % 2}")
        add(number, 20, "seat_change", quantity=(-1) ** number * step)
        add(number, 12, "api_call", quantity=number, properties={"class": "standard"})
        add(number, 16, "payment", revenue=number, currency=currency)
    add(12, 18, "void", voids=f"{key}-4")
    return found


@pytest.fixture(scope="module")
def loaded(module_pipeline):
    """Ten companies in two zones, one of which pauses; loaded, and nothing built."""
    start = f"{day(-1)}T00:00:00Z"
    companies = [
        company(key, time_zone=zone, currency=currency, country=zone[:2].upper(), activated_at=start)
        for zone, currency in ZONES.items()
        for key in KEYS
        if key.startswith("berlin") == (currency == "EUR")
    ]
    branches = [
        {"company": key, "branch": f"b-{number}", "name": "B", "valid_from": f"{day(number * 4 - 1)}T00:00:00Z"}
        for key in KEYS
        for number in range(2)
    ]
    changes = [subscription(key, valid_from=start) for key in KEYS]
    changes += [
        subscription(KEYS[0], valid_from=f"{day(number)}T12:00:00Z", status=status, plan="combined")
        for number, status in ((4, "cancelled"), (8, "active"))
    ]
    module_pipeline.land("companies", "companies.ndjson", lines(*companies))
    module_pipeline.land("branches", "branches.ndjson", lines(*branches))
    module_pipeline.land("plans", "plans.yaml", PLANS)
    module_pipeline.land("subscriptions", "subscriptions.ndjson", lines(*changes))
    module_pipeline.land("events", "events.ndjson", lines(*(row for key in KEYS for row in events_of(key))))
    load_landed(module_pipeline, NOW)
    invoke(["seed"], module_pipeline.warehouse.url)
    return module_pipeline


@pytest.fixture(scope="module")
def in_one_run(loaded) -> dict[str, str]:
    """The fingerprint of everything that is tagged `usage` after one run over the whole range."""
    build_usage(loaded, FIRST, day(DAYS), NOW)
    return fingerprints(loaded)


def fingerprints(pipeline) -> dict[str, str]:
    return pipeline.fingerprint(*map(table_of, usage_nodes()))


@st.composite
def runs(draw) -> dict[str, Any]:
    """Windows that cover the range in some order, one of them twice, and events that arrive when they are built."""
    cuts = sorted(draw(st.sets(st.integers(1, DAYS - 1), min_size=2, max_size=3)), reverse=True)
    windows = list(zip([*cuts, 0], [DAYS, *cuts], strict=True))
    ordered = draw(st.permutations(windows))
    late = draw(st.sets(st.integers(0, DAYS - 1), min_size=1, max_size=3))
    return {"windows": [*ordered, *draw(st.lists(st.sampled_from(windows), max_size=1))], "late": sorted(late)}


def build_in_runs(pipeline, windows: list[tuple[int, int]], late: list[int]) -> dict[str, str]:
    """Build the windows while every other event of the late days is missing, then the late days alone."""
    for node in usage_nodes("incremental"):
        pipeline.warehouse.execute(f"truncate {table_of(node)}")
    with pipeline.connect() as connection:
        connection.execute("drop table if exists missing")
        connection.execute(
            "create table missing as select * from raw.usage_events"
            f" where usage_date = any('{{{','.join(str(day(number)) for number in late)}}}')"
            " and right(event_id, 1) in ('0', '2', '3', '5', '8')".encode()
        )
        connection.execute(
            "delete from raw.usage_events as e using missing as m"
            " where (e.company_id, e.usage_date, e.event_id) = (m.company_id, m.usage_date, m.event_id)"
        )
        try:
            for first, end in windows:
                build_usage(pipeline, day(first), day(end), NOW)
        finally:
            connection.execute("insert into raw.usage_events select * from missing")
    for number in late:
        build_usage(pipeline, day(number), day(number + 1), NOW)
    return fingerprints(pipeline)


def test_every_table_holds_something(loaded, in_one_run):
    counts = {table: loaded.value(f"select count(*) from {table}") for table in in_one_run}
    assert [table for table, count in counts.items() if not count] == []
    assert {node["name"] for node in usage_nodes()} >= {
        "fct_usage_hourly",
        "fct_meter_usage_monthly",
        "int_meter_values",
    }


def test_any_split_into_runs_in_any_order_and_late_events_end_in_the_same_tables(loaded, in_one_run):
    @DRAWN
    @given(runs())
    def builds_end_alike(drawn):
        found = build_in_runs(loaded, **drawn)
        assert [table for table in in_one_run if found[table] != in_one_run[table]] == []

    builds_end_alike()
