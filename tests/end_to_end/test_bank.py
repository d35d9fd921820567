"""Real input: a bank's call centre in February 1999, through a source mapping and the whole line."""

import csv
import gzip
import json
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ml.rating.catalogue import default_catalogue
from orchestration.resources import set_go_live_date
from tests.feeds import company, lines, subscription

DATA = Path(__file__).parents[3] / "shared/data/anonymous_bank_1999"
CALLS = DATA / "calls_february.tsv.gz"
COMPANIES = ("PS", "NW", "NE", "TT", "IN", "PE")
ACTIVATED = "1999-02-01T00:00:00+02:00"
HOURS = {day: ["07:00", "24:00"] for day in ("sun", "mon", "tue", "wed", "thu")} | {"fri": ["07:00", "14:00"]}

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CALLS.exists(), reason=f"the call log {CALLS.name} is not beside the checkout"),
]


@pytest.fixture
def bank(pipeline):
    pipeline.set_clock(datetime(1999, 3, 2, 12, tzinfo=UTC))
    with pipeline.connect() as connection:
        set_go_live_date(connection, date(1999, 1, 1))
    facts = {"country": "IL", "time_zone": "Asia/Jerusalem", "business_hours": HOURS, "activated_at": ACTIVATED}
    pipeline.land("companies", "companies.ndjson", lines(*(company(key, locale="en", **facts) for key in COMPANIES)))
    branches = [
        {"company": key, "branch": branch, "name": branch, "valid_from": ACTIVATED}
        for key in COMPANIES
        for branch in ("AA01", "AA02")
    ]
    pipeline.land("branches", "branches.ndjson", lines(*branches))
    pipeline.land("plans", "plans.yaml", default_catalogue())
    subscriptions = (subscription(key, plan="trial", status="trial", valid_from=ACTIVATED) for key in COMPANIES)
    pipeline.land("subscriptions", "subscriptions.ndjson", lines(*subscriptions))
    folder = pipeline.landing / "events/bank"
    folder.mkdir(parents=True)
    shutil.copy(CALLS, folder)
    shutil.copy(Path(__file__).parent / "bank.yaml", folder / "mapping.yaml")
    pipeline.tick()
    return pipeline


def calls_of_the_log() -> list[dict[str, str]]:
    with gzip.open(CALLS, "rt", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def counts_per_day() -> Counter[str]:
    found: Counter[str] = Counter()
    with gzip.open(DATA / "counts_6min_1999.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            found[row["interval_start"][:10]] += round(float(row["calls"]))
    return found


def day_of(call: dict[str, str]) -> str:
    return f"19{call['date'][:2]}-{call['date'][2:4]}-{call['date'][4:]}"


def test_a_bank_s_february_goes_through_the_whole_line(bank):
    log = calls_of_the_log()
    read, inserted, duplicate, rejected, filtered, filtered_by = bank.rows(
        """
        select count_read, count_inserted, count_duplicate, count_rejected, count_filtered, filtered_by
        from raw.loads where feed = 'events'
        """
    )[0]
    assert read == len(log) == 33_344
    assert filtered_by == {"phantom": 278}
    assert read == inserted + duplicate + rejected + filtered
    assert duplicate == 0
    assert bank.value("select count(*) from raw.rejected_events where reason = '' or message = ''") == 0
    assert rejected == bank.value("select count(*) from raw.rejected_events")

    phantoms = Counter(day_of(call) for call in log if call["outcome"] == "PHANTOM")
    quarantined = Counter(day_of(log[line - 2]) for (line,) in bank.rows("select line from raw.rejected_events"))
    daily = Counter(
        dict(bank.rows("select usage_date::text, sum(total_calls)::int from marts.fct_usage_daily group by 1"))
    )
    expected = counts_per_day()
    days = [f"1999-02-{day:02d}" for day in range(1, 29)]
    assert {day: daily[day] + phantoms[day] + quarantined[day] for day in days} == {day: expected[day] for day in days}

    mails = Counter(row[0] for row in bank.rows("select kind from messaging.notifications where state = 'dry_run'"))
    assert mails == {"first_insights": 6, "recommendation": 6}
    assert bank.value("select count(*) from ml.pricing_recommendations") == 6

    rated = dict(
        bank.rows(
            """
            select company_key, sum(quantity)::bigint from billing.rated_usage join raw.company_ids using (company_id)
            where meter = 'call_seconds' group by company_key
            """
        )
    )
    bodies = [json.loads(line) for line in (bank.outbox / "stripe/meter_events.jsonl").read_text().splitlines()]
    planned: Counter[str] = Counter()
    for body in bodies:
        if body["event_name"] == "usage_call_seconds":
            planned[body["payload"]["stripe_customer_id"].removeprefix("cus_")] += int(body["payload"]["value"])
    refused = {line for (line,) in bank.rows("select line from raw.rejected_events")}
    logged: Counter[str] = Counter()
    for line, call in enumerate(log, 2):
        if call["outcome"] != "PHANTOM" and line not in refused:
            logged[call["type"]] += int(call["ser_time"])
    assert rated == dict(planned) == dict(logged)

    tables = ("raw.usage_events", "marts.fct_usage_daily", "ml.pricing_recommendations", "billing.rated_usage")
    tables += ("billing.meter_events", "messaging.notifications", "raw.loads")
    before = bank.fingerprint(*tables)
    for job in ("ingestion_job", "billing_sync_job"):
        bank.driver.run(job)
    assert bank.tick() == []
    assert bank.fingerprint(*tables) == before
