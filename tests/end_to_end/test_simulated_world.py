"""A small simulated world, from files to mails and meter events, against the truth that the simulator knows."""

import json
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import pytest

from ml.rating.catalogue import default_catalogue
from ml.synthetic import Dirt, write_world
from orchestration.demo import deliver
from orchestration.resources import set_go_live_date

START, DAYS = date(2026, 10, 18), 18
LEDGERS = (
    "raw.usage_events",
    "raw.event_keys",
    "raw.loads",
    "raw.rejected_events",
    "marts.fct_usage_hourly",
    "marts.fct_usage_daily",
    "marts.fct_usage_monthly",
    "marts.fct_meter_usage_daily",
    "ml.usage_insights",
    "ml.pricing_recommendations",
    "billing.rated_usage",
    "billing.meter_events",
    "messaging.notifications",
)


@pytest.fixture
def world(pipeline, tmp_path):
    """Both clock changes lie in it: Berlin's on 2026-10-25 and New York's on 2026-11-01."""
    summary = write_world(
        tmp_path / "world",
        companies=12,
        days=DAYS,
        events=4000,
        start=START,
        catalogue=default_catalogue(),
        dirt=Dirt(malformed_json=0.01, negative_duration=0.005, rejected_cap=0.04),
    )
    arrivals = sorted((tmp_path / "world/arrivals").iterdir())
    with pipeline.connect() as connection:
        set_go_live_date(connection, START)
    for day in (START + timedelta(days=9), START + timedelta(days=15), date.fromisoformat(summary.last_arrival)):
        pipeline.set_clock(datetime.combine(day, time(20), UTC))
        deliver(arrivals, day, pipeline.landing)
        pipeline.tick()
    return summary


def test_the_whole_line_is_true_to_the_world_and_a_second_run_changes_nothing(pipeline, world):
    counts = pipeline.rows(
        "select sum(count_read), sum(count_inserted), sum(count_duplicate), sum(count_rejected)"
        " from raw.loads where feed = 'events'"
    )[0]
    assert counts == (world.events_read, world.unique_valid, world.duplicates, sum(world.rejected.values()))
    reasons = dict(pipeline.rows("select reason, count(*) from raw.rejected_events group by reason"))
    assert reasons == {reason: count for reason, count in world.rejected.items() if count}

    truth = world.daily_truth
    found = pipeline.warehouse.read(
        """
        select companies.company_key as company, daily.usage_date::text as usage_date, sum(total_calls)::int as calls,
            sum(total_seconds)::int as call_seconds, sum(total_appointments)::int as appointments
        from marts.fct_usage_daily as daily join marts.dim_companies as companies using (company_id)
        group by 1, 2 having sum(total_calls) + sum(total_appointments) > 0
        """
    )
    columns = ["company", "usage_date", "calls", "call_seconds", "appointments"]
    expected = truth[truth["calls"] + truth["appointments"] > 0][columns].astype({"usage_date": str})
    pd.testing.assert_frame_equal(
        found[columns].sort_values(columns[:2]).reset_index(drop=True),
        expected.sort_values(columns[:2]).reset_index(drop=True),
        check_dtype=False,
    )

    assert_mails_and_results(pipeline, world)
    assert_meter_events_equal_rated_usage(pipeline, found)

    before = pipeline.fingerprint(*LEDGERS)
    for sensor_job in ("ingestion_job", "billing_sync_job"):
        pipeline.driver.run(sensor_job)
    assert pipeline.tick() == []
    assert pipeline.fingerprint(*LEDGERS) == before


def assert_mails_and_results(pipeline, world):
    last = date.fromisoformat(world.last_arrival)
    new = {c.key: since for c in world.companies if (since := date.fromisoformat(c.activated_at[:10])) >= START}
    old_enough = {day: {key for key, since in new.items() if since + timedelta(days=day) <= last} for day in (7, 14)}
    mailed = {
        kind: {
            row[0]
            for row in pipeline.rows("select notification_key from messaging.notifications where kind = %s", kind)
        }
        for kind in ("first_insights", "recommendation")
    }
    assert mailed["first_insights"] == {f"day-7:{key}" for key in old_enough[7]}
    assert mailed["recommendation"] == {f"day-14:{key}" for key in old_enough[14]}
    assert mailed["recommendation"]
    assert pipeline.rows("select distinct state from messaging.notifications") == [("dry_run",)]
    mails = pipeline.outbox / "mail"
    assert len(list(mails.glob("*.eml"))) == len(mailed["first_insights"]) + len(mailed["recommendation"])
    assert (mails / "index.html").exists()
    subjects = pipeline.rows("select locale, subject from messaging.notifications where kind = 'recommendation'")
    expected = {
        "de": "Ihre personalisierte Tarifempfehlung ist bereit!",
        "en": "Your personalised plan recommendation is ready",
    }
    assert set(subjects) <= set(expected.items())


def assert_meter_events_equal_rated_usage(pipeline, daily):
    rated = pipeline.rows(
        "select company_id, meter, sum(quantity) from billing.rated_usage where meter is not null"
        " group by 1, 2 order by 1, 2"
    )
    planned = pipeline.rows(
        "select company_id, meter, sum(quantity) from billing.meter_events group by 1, 2 order by 1, 2"
    )
    assert rated == planned
    seconds = sum(int(row[2]) for row in rated if row[1] == "call_seconds")
    assert seconds == int(daily["call_seconds"].sum())
    bodies = [json.loads(line) for line in (pipeline.outbox / "stripe/meter_events.jsonl").read_text().splitlines()]
    assert sum(int(b["payload"]["value"]) for b in bodies if b["event_name"] == "usage_call_seconds") == seconds
    assert len({b["identifier"] for b in bodies}) == len(bodies)
