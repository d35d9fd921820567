"""The report on a correction says beforehand what the correction then does."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from integrations.events.frames import Frame, FrameRefused
from orchestration.cli import app
from orchestration.corrections import Figures, differences, effect_of, instant
from tests.feeds import PLANS, company, event, lines, subscription

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
FRAME = Frame("acme", datetime(2026, 10, 5, tzinfo=BERLIN), datetime(2026, 10, 7, tzinfo=BERLIN))
TABLES = ("raw.usage_events", "raw.event_keys", "raw.loads", "raw.replaced_events", "marts.fct_usage_daily")
LEDGER = "select sum(amount) from billing.rated_usage"
UNITS = """
    select usage_date, quantity from marts.fct_meter_usage_daily
    where meter = 'call_seconds' and usage_date between '2026-10-05' and '2026-10-06' order by 1
"""


def calls(first: int, days: int, each: int, seconds: int, name: str = "call"):
    start = datetime(2026, 10, first, 9, tzinfo=BERLIN)
    times = [start + timedelta(days=day, minutes=3 * i) for day in range(days) for i in range(each)]
    return [event(f"{name}-{time:%d-%H%M}", time.isoformat(), duration_seconds=seconds) for time in times]


@pytest.fixture
def advised(pipeline):
    """A company with two weeks of usage, a bill and a recommendation."""
    pipeline.warehouse.execute("update ops.settings set value = '2026-10-01' where name = 'go_live_date'")
    pipeline.set_clock(NOW)
    pipeline.land("companies", "companies.ndjson", lines(company()))
    pipeline.land("plans", "plans.yaml", PLANS)
    pipeline.land("subscriptions", "subscriptions.ndjson", lines(subscription()))
    pipeline.land("events", "events.ndjson", lines(*calls(1, 14, 20, 30)))
    for _ in range(2):
        pipeline.tick()
    assert pipeline.value("select count(*) from ml.pricing_recommendations") == 1
    return pipeline


@pytest.mark.long
def test_the_report_says_what_the_command_then_does(advised, tmp_path):
    path = tmp_path / "october.ndjson"
    path.write_text(lines(*calls(5, 2, 100, 1800, "corrected")))
    before, owed = advised.fingerprint(*TABLES), advised.value(LEDGER)
    effect = effect_of(advised.warehouse.url, FRAME, path, NOW)
    assert advised.fingerprint(*TABLES) == before

    assert effect.events == [(date(2026, 10, 5), 20, 100), (date(2026, 10, 6), 20, 100)]
    seconds = [(day, *units) for day, meter, *units in effect.units if meter == "call_seconds"]
    assert seconds == [(date(2026, 10, 5), 600, 180_000), (date(2026, 10, 6), 600, 180_000)]
    ((key, was, would_be),) = effect.advice
    assert key == "day-14:acme"
    assert was != would_be

    arguments = ["replace", str(path), "--company", "acme", "--from", "2026-10-05", "--to", "2026-10-07"]
    refused = CliRunner().invoke(app, arguments, input="n\n")
    assert (refused.exit_code, "What would change" in refused.output) == (1, True)
    assert advised.fingerprint(*TABLES) == before
    done = CliRunner().invoke(app, [*arguments, "--yes"])
    assert (done.exit_code, "it replaced 40 events of acme" in done.output.replace("\n", " ")) == (0, True)
    assert "nothing to change" in CliRunner().invoke(app, [*arguments, "--yes"]).output
    advised.tick("changed_usage_dates_sensor", "billing_sync_sensor")
    assert advised.rows(UNITS) == [(day, after) for day, _, after in seconds]
    assert effect.amounts == [(date(2026, 10, 1), "EUR", advised.value(LEDGER) - owed)]
    assert effect.amounts[0][2] > 0


@pytest.mark.long
def test_before_the_marts_are_built_the_events_are_counted_all_the_same(pipeline, tmp_path):
    pipeline.set_clock(NOW)
    pipeline.land("companies", "companies.ndjson", lines(company()))
    pipeline.land("events", "events.ndjson", lines(*calls(5, 1, 3, 60)))
    pipeline.tick("landing_files_sensor")
    path = tmp_path / "none.ndjson"
    path.write_text("")
    effect = effect_of(pipeline.warehouse.url, FRAME, path, NOW)
    assert (effect.events, effect.units, effect.amounts) == ([(date(2026, 10, 5), 3, 0)], [], [])
    path.write_text("bad\n")
    with pytest.raises(FrameRefused):
        effect_of(pipeline.warehouse.url, FRAME, path, NOW)


def test_differences_are_those_that_are_not_nothing():
    day, other = date(2026, 10, 5), date(2026, 10, 6)
    before = Figures(
        {(day, "calls"): Decimal(3), (other, "calls"): Decimal(1)}, {(day, "EUR"): Decimal(2)}, {"a": "x", "b": "y"}
    )
    after = Figures(
        {(day, "calls"): Decimal(3), (day, "visits"): Decimal(1)}, {(day, "EUR"): Decimal("2.0")}, {"a": "x", "b": "z"}
    )
    assert differences(before, after) == ([(day, "visits", 0, 1), (other, "calls", 1, 0)], [], [("b", "y", "z")])


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2026-10-01", "2026-10-01T00:00:00+02:00"),
        ("2026-11-01", "2026-11-01T00:00:00+01:00"),
        ("2026-10-01T09:30:00Z", "2026-10-01T09:30:00+00:00"),
    ],
)
def test_a_date_begins_at_local_midnight(written, time):
    assert instant(written, BERLIN).isoformat() == time


@pytest.mark.parametrize(
    ("written", "sentence"), [("yesterday", "is no time"), ("2026-10-01T09:30", "has no time zone")]
)
def test_what_is_no_time_is_an_error(written, sentence):
    with pytest.raises(ValueError, match=sentence):
        instant(written, BERLIN)
