"""Forecasts in the database: the same in any shards, blind to what comes later and to days that are not complete."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from ml.analysis.forecasting.learning import HISTORY_DAYS, learn
from orchestration import learned
from orchestration.accuracy import accuracy_table, judge_forecasts
from orchestration.analysis_shards import shards_of
from orchestration.findings import read_fan, read_findings
from orchestration.forecast_inputs import read_lessons
from orchestration.forecasts import days_ahead, forecast_shard, pooled_models, project
from orchestration.learned import models_at
from orchestration.shards import run_shards, total

AS_OF, DAYS = date(2026, 11, 11), 100
NOW = datetime(2026, 11, 20, tzinfo=UTC)
TABLES = """
    create table marts.dim_companies (company_id bigint primary key, activated_on date, country text);
    create table marts.fct_usage_daily (
        company_id bigint, usage_date date, total_events bigint, is_day_complete boolean, day_ends_at timestamptz
    );
    create table marts.fct_event_lateness (company_id bigint, usage_date date, closing_minutes double precision);
    create table marts.fct_meter_usage_daily (company_id bigint, meter text, usage_date date, quantity numeric(26, 6))
"""
USAGE = """
    insert into marts.fct_meter_usage_daily
    select id, meter, day::date,
        case meter when 'calls' then 1 else 90 end
        * case
            when extract(isodow from day) > 5 then id
            else 10 * id + (id * 7 + extract(doy from day)::int * 11) %% 5
        end
    from generate_series(1, 6) as id, generate_series(%(first)s::date, %(last)s::date, '1 day') as day,
        unnest(array['calls', 'call_seconds']) as meter
    where id <> 6
"""
SPINE = """
    insert into marts.fct_usage_daily
    select id, day::date, 10, true, day + interval '1 day'
    from generate_series(1, 6) as id, generate_series(%(first)s::date, %(last)s::date, '1 day') as day
"""
FORECASTS = "select to_jsonb(t) from ml.usage_forecasts as t order by company_id, meter"
LIMITS = "select to_jsonb(t) from ml.limit_forecasts as t order by company_id, meter"


@pytest.fixture
def marts(connection):
    """Five companies with usage that grows with their number, and one without any; the fourth has joined lately."""
    over = {"first": AS_OF - timedelta(days=DAYS), "last": AS_OF - timedelta(days=1)}
    for statement in (*TABLES.split(";"), USAGE, SPINE):
        connection.execute(statement.encode(), over)
    for number in range(1, 7):
        joined = AS_OF - timedelta(days=20 if number == 4 else DAYS)
        connection.execute("insert into marts.dim_companies values (%s, %s, 'DE')", [number, joined])
    connection.execute("delete from marts.fct_meter_usage_daily where company_id = 4 and usage_date < %s", [joined])
    allow(connection, 1, 150)
    allow(connection, 3, 100_000)
    allow(connection, 5, 0)
    return connection


def allow(connection, company: int, limit: int) -> None:
    connection.execute(
        "insert into billing.allowances (company_id, usage_period, meter, limit_quantity) values (%s, %s, 'calls', %s)",
        [company, AS_OF.replace(day=1), limit],
    )


def run(database_url, known_at: datetime = NOW, size: int = 500) -> dict[str, int]:
    from integrations.postgres.warehouse import Warehouse

    shards = shards_of(Warehouse(database_url), [AS_OF], known_at, pooled_models(known_at), size)
    return total(run_shards(forecast_shard, shards))


def rows(connection) -> list:
    return [row[0] for query in (FORECASTS, LIMITS) for row in connection.execute(query).fetchall()]


def assert_alike(found: list, expected: list) -> None:
    """Alike but for the last digits, which depend on how many rows a matrix product has."""
    assert len(found) == len(expected)
    for own, other in zip(found, expected, strict=True):
        for name, days in other.pop("daily", {}).items():
            assert own["daily"][name] == pytest.approx(days, abs=1e-3)
        own.pop("daily", None)
        numbers = {name for name, value in other.items() if isinstance(value, float)}
        assert {name: own[name] for name in numbers} == pytest.approx({name: other[name] for name in numbers})
        assert {**own, **dict.fromkeys(numbers)} == {**other, **dict.fromkeys(numbers)}


def test_every_meter_has_a_month_and_each_day_to_the_end_of_the_next_period(marts, database_url):
    assert run(database_url) == {"shards": 1, "companies": 6, "limits": 3, "rows": 30}
    found = {(row["company_id"], row["meter"]): row for row in rows(marts)[:30]}
    calls = found[2, "calls"]
    assert 0.8 * 490 < calls["expected_quantity"] < 1.2 * 490  # 21 or 22 working days of 20 to 24, 9 of 2
    assert calls["p10_quantity"] < calls["p50_quantity"] < calls["p90_quantity"]
    assert {len(series) for series in calls["daily"].values()} == {days_ahead(AS_OF)} == {51}
    assert calls["daily"]["p50"][3] < 5 < calls["daily"]["p50"][0]  # a Saturday and a Wednesday
    assert found[6, "calls"]["reason"] == "no_usage"
    assert found[6, "calls"]["expected_quantity"] == 0


def judged(connection, as_of: date, known_at: datetime, wape: float) -> None:
    """A backtest of the forecasts of calls of regular series."""
    for days in HISTORY_DAYS:
        connection.execute(
            "insert into ml.forecast_accuracy values (%s, 'calls', 'regular', %s, 30, 'forecast', %s, 9, 2,"
            " %s, 0.9, 0.1, 0.8, true)",
            [as_of, days, known_at, wape],
        )


def test_a_forecast_says_how_far_its_like_were_off_when_last_judged(marts, database_url):
    judged(marts, AS_OF - timedelta(days=14), NOW - timedelta(days=2), 0.3)
    judged(marts, AS_OF - timedelta(days=7), NOW - timedelta(days=1), 0.2)
    judged(marts, AS_OF, NOW, 0.9)  # at the same instant: not yet known
    judged(marts, AS_OF + timedelta(days=7), NOW - timedelta(days=1), 0.9)
    run(database_url)
    told = "select wape, coverage_80, judged_as_of, accuracy_reason, segment, history_days from ml.usage_forecasts"
    found = marts.execute(
        f"{told} where meter = 'calls' and company_id = any('{{2,4}}') order by company_id"
    ).fetchall()
    last = AS_OF - timedelta(days=7)
    assert found == [(0.2, 0.8, last, None, "regular", 90), (0.2, 0.8, last, None, "regular", 14)]
    others = f"{told} where meter = 'call_seconds' and company_id = 2"
    assert marts.execute(others).fetchall() == [(None, None, None, "not_judged_yet", "regular", 90)]
    accuracy = read_findings(marts, AS_OF, [2])["accuracy"].set_index("meter")
    assert (accuracy.loc["calls", "wape"], accuracy.loc["call_seconds", "accuracy_reason"]) == (0.2, "not_judged_yet")


def test_a_limit_has_a_probability_and_a_date(marts, database_url):
    run(database_url)
    near, far, none = rows(marts)[30:]
    assert (near["limit_quantity"], near["period_end"]) == (150, "2026-12-01")
    assert near["used_quantity"] == sum(quantity for (quantity,) in marts.execute(
        "select quantity from marts.fct_meter_usage_daily where company_id = 1 and meter = 'calls'"
        " and usage_date >= '2026-11-01'"
    ))  # fmt: skip
    assert near["reach_probability"] > 0.9
    assert "2026-11-12" < near["expected_reach_date"] < "2026-12-01"
    assert (far["reach_probability"], far["expected_reach_date"]) == (0, None)
    assert (none["reach_probability"], none["expected_utilisation"]) == (1, None)


def test_shards_of_one_and_of_all_companies_and_a_second_run_give_the_same_rows(marts, database_url):
    run(database_url)
    whole = rows(marts)
    run(database_url, size=1)
    assert_alike(rows(marts), whole)


def test_usage_at_or_after_the_date_changes_nothing(marts, database_url):
    run(database_url)
    before = rows(marts)
    marts.execute(
        "insert into marts.fct_meter_usage_daily select id, 'calls', %s, 9999 from generate_series(1, 6) id", [AS_OF]
    )
    run(database_url)
    assert rows(marts) == before


def calls_of_the_first(connection) -> tuple[float, float]:
    """Expected calls of company 1 in a month, and of its current period."""
    own = {
        row.get("expected_utilisation"): row
        for row in rows(connection)
        if (row["company_id"], row["meter"]) == (1, "calls")
    }
    return own.pop(None)["expected_quantity"], next(iter(own.values()))["expected_quantity"]


def test_a_day_whose_usage_still_comes_in_says_nothing_and_is_awaited(marts, database_url):
    run(database_url)
    month, period = calls_of_the_first(marts)
    last = AS_OF - timedelta(days=1)
    marts.execute("delete from marts.fct_meter_usage_daily where usage_date >= %s", [last - timedelta(days=1)])
    run(database_url)
    silent_month, silent_period = calls_of_the_first(marts)
    marts.execute("insert into marts.fct_event_lateness select id, %s, 4000 from generate_series(1, 6) id", [last])
    run(database_url, known_at=datetime(2026, 11, 11, 6, tzinfo=UTC))
    waiting_month, waiting_period = calls_of_the_first(marts)
    assert silent_month < 0.97 * month
    assert silent_period < period - 15
    assert waiting_month == pytest.approx(month, rel=0.03)
    assert waiting_period == pytest.approx(period, rel=0.03)


def test_nothing_more_is_awaited_for_the_day_of_the_activation_or_days_away(marts, database_url):
    joined = AS_OF - timedelta(days=8)
    marts.execute("update marts.dim_companies set activated_on = %s where company_id = 1", [joined])
    marts.execute("delete from marts.fct_meter_usage_daily where company_id = 1 and usage_date <= %s", [joined])
    marts.execute(
        "delete from marts.fct_usage_daily where company_id = 1 and usage_date = %s", [AS_OF - timedelta(days=4)]
    )
    marts.execute("update billing.allowances set limit_quantity = 1 where company_id = 1")
    run(database_url)
    (own,) = (row for row in rows(marts)[30:] if row["company_id"] == 1)
    month = next(row for row in rows(marts) if (row["company_id"], row["meter"]) == (1, "calls"))
    ahead = sum(month["daily"]["expected"][:20])  # the rest of November
    assert own["expected_quantity"] == pytest.approx(own["used_quantity"] + ahead, abs=0.1)


def test_what_is_received_later_for_days_that_were_not_complete_changes_no_forecast(marts, database_url):
    early, last = datetime(2026, 11, 11, 6, tzinfo=UTC), AS_OF - timedelta(days=1)
    marts.execute("insert into marts.fct_event_lateness select id, %s, 4000 from generate_series(1, 6) id", [last])
    run(database_url, known_at=early)
    before = marts.execute(FORECASTS).fetchall()
    marts.execute("update marts.fct_meter_usage_daily set quantity = quantity * 3 where usage_date = %s", [last])
    run(database_url, known_at=early)
    assert marts.execute(FORECASTS).fetchall() == before
    run(database_url)
    assert marts.execute(FORECASTS).fetchall() != before


def test_days_on_which_a_company_was_away_are_no_days_without_usage(marts, database_url):
    run(database_url)
    month, _ = calls_of_the_first(marts)
    away = [AS_OF - timedelta(days=60), AS_OF - timedelta(days=20)]
    for table in ("fct_meter_usage_daily", "fct_usage_daily"):
        marts.execute(f"delete from marts.{table} where usage_date >= %s and usage_date < %s", away)
    run(database_url)
    assert calls_of_the_first(marts)[0] == pytest.approx(month, rel=0.03)
    marts.execute(
        "delete from marts.fct_usage_daily where company_id = 1 and usage_date >= %s", [AS_OF - timedelta(days=30)]
    )
    run(database_url)
    assert not [row for row in rows(marts) if row["company_id"] == 1]


def test_models_are_learned_once_a_day_and_never_from_what_came_later(marts, monkeypatch):
    count = []
    monkeypatch.setattr(learned, "learn_models", lambda *_: count.append(1) or {("regular", 7): assumed})
    history = read_lessons(marts, AS_OF, NOW).histories()["calls"]
    assumed = learn(history.rows(np.zeros(0, dtype=np.int64)), 7, 30)
    first = models_at(marts, AS_OF, NOW)
    assert len(count) == len(first) == 5
    assert models_at(marts, AS_OF, NOW + timedelta(hours=23)).keys() == first.keys()
    assert len(count) == 5
    models_at(marts, AS_OF, NOW - timedelta(hours=1))  # what is stored had not been learned by then
    models_at(marts, AS_OF, NOW + timedelta(days=2))  # and by now it is too old
    assert len(count) == 15
    models_at(marts, AS_OF + timedelta(days=8), NOW)
    kept = marts.execute("select distinct as_of from ml.forecast_models").fetchall()
    assert kept == [(AS_OF + timedelta(days=8),)]


def test_scenarios_and_findings_are_those_of_the_companies_asked_for(marts, database_url):
    run(database_url)
    projection = project(marts, AS_OF, NOW, [2, 3])
    assert projection.company_ids.tolist() == [2, 3]
    stored = {(row["company_id"], row["meter"]): row["expected_quantity"] for row in rows(marts)[:30]}
    assert projection.expected()[0, projection.meters.index("calls")] == pytest.approx(stored[2, "calls"], rel=0.02)
    found = read_findings(marts, AS_OF, [1, 2])
    assert found["limits"]["company_id"].tolist() == [1]
    history, low, middle, high, start, title = read_fan(marts, AS_OF, NOW)
    assert (len(history), len(low), len(middle), len(high), start, title) == (
        28,
        51,
        51,
        51,
        AS_OF,
        "calls of company 5",
    )


def test_the_months_before_say_how_far_forecasts_were_off(marts):
    found = judge_forecasts(read_lessons(marts, AS_OF, NOW), lambda _: None)
    given = found[(found["model"] == "forecast") & (found["meter"] == "calls")].set_index("history_days")
    assert set(given.index) == {7, 14, 28, 56}  # of 100 days, 90 and a month are too many
    assert given.loc[28, "count_cutoffs"] == 2
    assert given.loc[28, "wape"] < 0.2
    assert found[found["is_chosen"]]["model"].isin(["forecast", "experts", "pooled_regression"]).all()
    assert "calls | 28 | forecast | 0." in accuracy_table(found)
    assert judge_forecasts(read_lessons(marts, date(2026, 8, 20), NOW), lambda _: None).empty


@pytest.mark.parametrize(
    ("at", "days"),
    [(date(2026, 11, 1), 61), (date(2026, 11, 30), 32), (date(2026, 12, 31), 32), (date(2027, 1, 31), 29)],
)
def test_the_next_period_s_end(at, days):
    assert days_ahead(at) == days
