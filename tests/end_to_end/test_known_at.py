"""What was known at an instant: an analysis that is repeated for it says the same, whatever has come in since."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from integrations.events.frames import Frame, replace_frame
from orchestration.driver import RunFailed
from orchestration.known_usage import MODELS, as_known
from tests.feeds import PLANS, company, event, lines, subscription

pytestmark = pytest.mark.long
BERLIN = ZoneInfo("Europe/Berlin")
FIRST, DAYS = date(2026, 8, 20), 55
KNOWN_AT = datetime(2026, 10, 14, 12, tzinfo=UTC)
LATER = KNOWN_AT + timedelta(days=3)
LAST = "2026-10-10"
KEYS = ("acme", "bell", "cole", "dunn", "eddy", "fox")
WRITTEN = (
    "ml.usage_patterns",
    "ml.business_characteristics",
    "ml.usage_forecasts",
    "ml.limit_forecasts",
    "ml.usage_anomalies",
    "ml.churn_risks",
    "ml.peer_benchmarks",
    "ml.forecast_accuracy",
)
ACTIVATED = "2026-08-20T00:00:00+02:00"


def calls(key: str, first: date, days: int, each: int, name: str = "call", **data):
    start = datetime(first.year, first.month, first.day, 9, tzinfo=BERLIN)
    times = [start + timedelta(days=day, minutes=47 * i) for day in range(days) for i in range(each)]
    return [
        event(f"{name}-{time:%m-%d-%H%M}", time.isoformat(), key, **{"customer": f"c-{time.day % 9}", **data})
        for time in times
    ]


@pytest.fixture(scope="module")
def analysed(module_pipeline):
    """Six companies with usage of eight weeks, built, and analysed at the instant."""
    pipeline = module_pipeline
    pipeline.set_clock(KNOWN_AT)
    pipeline.land("companies", "companies.ndjson", lines(*(company(key, activated_at=ACTIVATED) for key in KEYS)))
    pipeline.land("plans", "plans.yaml", PLANS)
    pipeline.land(
        "subscriptions", "subscriptions.ndjson", lines(*(subscription(key, valid_from=ACTIVATED) for key in KEYS))
    )
    known = [row for place, key in enumerate(KEYS, 3) for row in calls(key, FIRST, DAYS, place, service=f"s-{place}")]
    known = [row for row in known if row["subject"] != "fox" or not row["time"].startswith(LAST)]
    known.append(event("void", "2026-09-29T09:00:00+02:00", "cole", "void", voids={"id": "call-09-20-0900"}))
    known.append(event("level", "2026-09-20T09:00:00+02:00", "acme", "storage", quantity=5))
    pipeline.land("events", "events.ndjson", lines(*known))
    pipeline.tick("landing_files_sensor", "changed_usage_dates_sensor", "billing_sync_sensor")
    analyse(pipeline)
    return pipeline


def analyse(pipeline, **tags: str) -> dict[str, str]:
    """What an analysis of the date writes; peers, which are told once, are told anew."""
    pipeline.warehouse.execute("delete from ml.peer_benchmarks")
    for job in ("daily_analysis_job", "forecast_accuracy_job"):
        pipeline.driver.run(job, tags, LAST)
    assert pipeline.value("select count(*) from ml.peer_benchmarks") > 0
    return pipeline.fingerprint(*WRITTEN)


def marts(pipeline, known_at: datetime) -> dict[str, str]:
    """A hash of each mart that the analysis reads, as it was known."""
    over = {"known_at": known_at, "first": FIRST, "as_of": date.fromisoformat(LAST) + timedelta(days=1)}
    found = {}
    with pipeline.connect() as connection:
        for name in (*MODELS, "dim_companies"):
            schema = "intermediate" if name.startswith("int_") else "marts"
            dated = "" if name == "dim_companies" else "where usage_date >= %(first)s and usage_date < %(as_of)s"
            row = "to_jsonb(t)::text"
            query = f"select md5(string_agg({row}, '|' order by {row})) from {schema}.{name} as t {dated}"
            (found[name],) = connection.execute(as_known(connection, query, over).encode(), over).fetchone()
    return found


@pytest.fixture(scope="module")
def changed(analysed, tmp_path_factory):
    """Days later: more usage on the same days, a call taken back, a frame replaced, a company that nobody knew of."""
    before = analysed.fingerprint(*WRITTEN) | marts(analysed, LATER)
    analysed.set_clock(LATER)
    analysed.land("companies", "late.ndjson", lines(company("gray", activated_at=ACTIVATED)))
    late = calls("acme", date(2026, 9, 20), 21, 9, "late", customer="new", service="new", outcome="failure")
    late += calls("fox", date.fromisoformat(LAST), 1, 8)
    voids = event("void", "2026-10-14T09:00:00+02:00", "bell", "void", voids={"id": "call-10-09-0900"})
    level = event("late level", "2026-09-25T09:00:00+02:00", "acme", "storage", quantity=9)
    analysed.land("events", "late.ndjson", lines(*late, *calls("gray", FIRST, DAYS, 5), voids, level))
    analysed.tick("landing_files_sensor")
    path = tmp_path_factory.mktemp("frame") / "cole.ndjson"
    path.write_text(lines(*calls("cole", date(2026, 9, 28), 12, 1, "replaced")))
    frame = Frame("cole", datetime(2026, 9, 28, tzinfo=BERLIN), datetime(2026, 10, 10, tzinfo=BERLIN))
    with analysed.connect() as connection:
        replace_frame(connection, frame, path, LATER)
    analysed.tick("changed_usage_dates_sensor", "billing_sync_sensor")
    return analysed, before


def test_an_analysis_of_what_was_known_is_the_same_whatever_has_come_in_since(changed):
    pipeline, before = changed
    now = analyse(pipeline)
    assert {table for table in WRITTEN if now[table] == before[table]} == set()
    repeated = analyse(pipeline, known_at=KNOWN_AT.isoformat())
    assert {table for table in WRITTEN if repeated[table] != before[table]} == set()


def test_each_mart_is_read_as_it_was(changed):
    pipeline, before = changed
    known, now = marts(pipeline, KNOWN_AT), marts(pipeline, LATER)
    assert {name for name in known if known[name] != before[name]} == set()
    assert {name for name in known if known[name] == now[name]} == set()


@pytest.mark.parametrize("written", ["2026-10-14", "yesterday", "2026-10-31T00:00:00Z"])
def test_a_run_for_an_instant_that_is_none_or_yet_to_come_is_refused(changed, written):
    with pytest.raises(RunFailed, match="write a time of the past"):
        changed[0].driver.run("forecast_accuracy_job", {"known_at": written}, LAST)


def test_a_past_analysis_waits_for_marts_that_lag_behind(changed):
    pipeline, _ = changed
    pipeline.warehouse.execute("update ops.usage_date_state set built_version = 0 where usage_date = '2026-10-01'")
    with pytest.raises(RunFailed, match="Build the marts of 2026-10-01 first"):
        pipeline.driver.run("forecast_accuracy_job", {"known_at": KNOWN_AT.isoformat()}, LAST)
