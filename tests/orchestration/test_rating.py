"""From usage and terms to the ledger: what changed is rated, a closed period stays, and a bill can be traced."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.rating.closing import NotClosable, close_period
from orchestration.rating.ledger import rate_periods
from orchestration.rating.periods import periods_due
from tests.feeds import PLANS, company, event, lines, subscription

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
MID_OCTOBER = datetime(2026, 10, 20, 12, tzinfo=UTC)
MORE_PLANS = """
  - plan_key: committed
    version: 1
    name: Committed
    currency: EUR
    monthly_base_fee: "10"
    minimum_spend: "40"
    option: standard
    valid_from: 1990-01-01
    charges:
      - {model: per_unit, meter: call_seconds, per: 60, unit_price: "0.10"}
      - {model: per_unit, meter: customers, unit_price: "3"}
    add_ons:
      - {key: white_label, name: White label, monthly_fee: "31", maximum_quantity: 1}
    limits:
      - {meter: call_seconds, up_to: 1000, per: 60, on_breach: block}
"""
AMOUNTS = """
    select to_char(usage_period, 'YYYY-MM'), to_char(invoice_period, 'YYYY-MM'), charge, sum(quantity)::float,
        sum(amount)::numeric(20, 2)::text
    from billing.rated_usage inner join raw.company_ids using (company_id) where company_key = %s
    group by 1, 2, 3 having sum(amount) <> 0 or sum(quantity) <> 0 order by 1, 2, 3
"""
DAY = """
    insert into marts.fct_meter_usage_daily
        (company_id, usage_date, branch_id, meter, aggregation, count_events, quantity)
    values (%(id)s, %(day)s, 0, %(meter)s, 'sum', 1, %(quantity)s)
    on conflict (company_id, usage_date, branch_id, meter) do update set quantity = excluded.quantity
"""
MONTH = """
    insert into marts.fct_meter_usage_monthly (company_id, usage_month, meter, aggregation, count_events, quantity)
    select company_id, date_trunc('month', usage_date)::date, meter, 'sum', 1, sum(quantity)
    from marts.fct_meter_usage_daily where company_id = %(id)s group by 1, 2, 3
    on conflict (company_id, usage_month, meter) do update set quantity = excluded.quantity
"""
BUILT = """
    insert into ops.usage_date_state as state (usage_date, dirty_version, built_version) values (%(day)s, 1, 1)
    on conflict (usage_date) do update
    set dirty_version = state.dirty_version + 1, built_version = state.dirty_version + 1
"""
AGREED = """
    insert into marts.subscriptions_history (company_id, valid_from, first_date, last_date, plan_id, plan_key,
        plan_version, status, billing_interval, add_ons, overrides)
    select %(id)s, %(day)s::date, %(day)s::date, 'infinity', plan_id, plan_key, version, %(status)s, 'month',
        %(add_ons)s, %(own)s
    from raw.plans where plan_key = %(plan)s
"""


class Books:
    """The real tables, filled directly: usage as it would be built, terms as they would be described."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection, self.now = connection, MID_OCTOBER

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode(), parameters).fetchall()

    def id(self, key: str) -> int:
        return self.rows("select company_id from raw.company_ids where company_key = %s", key)[0][0]

    def use(self, day: str, minutes: int, key: str = "acme", meter: str = "call_seconds", per: int = 60) -> None:
        facts = {"id": self.id(key), "day": day, "meter": meter, "quantity": minutes * per}
        for statement in (DAY, MONTH, BUILT):
            self.connection.execute(statement.encode(), facts)

    def agree(self, day: str, plan: str, key: str = "acme", status: str = "active", **own: Any) -> None:
        """From a date on, instead of whatever began there before."""
        company, before = self.id(key), date.fromisoformat(day) - timedelta(days=1)
        self.connection.execute(
            "delete from marts.subscriptions_history where company_id = %s and first_date >= %s", [company, day]
        )
        self.connection.execute(
            "update marts.subscriptions_history set last_date = %s where company_id = %s and last_date = 'infinity'",
            [before, company],
        )
        add_ons, overrides = (Jsonb(own.get(name, {})) for name in ("add_ons", "overrides"))
        facts = {"id": company, "day": day, "plan": plan, "status": status, "add_ons": add_ons, "own": overrides}
        self.connection.execute(AGREED.encode(), facts)

    def rate(self):
        return rate_periods(self.connection, self.now)

    def at(self, day: str) -> None:
        self.now = datetime.fromisoformat(f"{day}T12:00:00+00:00")

    def close(self, period: date = OCTOBER):
        return close_period(self.connection, period, self.now, "finance")

    def booked(self, key: str = "acme") -> list[tuple[Any, ...]]:
        return self.rows(AMOUNTS, key)


@pytest.fixture(scope="module")
def world(module_pipeline):
    """Two companies that pay ten cents a minute; acme called for 100 minutes on the fifth. Built by the pipeline."""
    pipeline = module_pipeline
    pipeline.set_clock(MID_OCTOBER)
    pipeline.land("companies", "companies.ndjson", lines(company("acme"), company("bolt")))
    pipeline.land("plans", "plans.yaml", PLANS + MORE_PLANS)
    both = [subscription(key, plan="combined") for key in ("acme", "bolt")]
    pipeline.land("subscriptions", "s.ndjson", lines(*both))
    pipeline.land("events", "e.ndjson", lines(event("1", "2026-10-05T10:00:00+02:00", duration_seconds=6000)))
    pipeline.tick("landing_files_sensor", "changed_usage_dates_sensor", "billing_sync_sensor")
    return pipeline


@pytest.fixture
def books(world):
    """Everything that a test does is undone."""
    with world.connect() as connection, connection.transaction(force_rollback=True):
        yield Books(connection)


def test_the_pipeline_rates_what_was_used(books):
    assert books.booked() == [("2026-10", "2026-10", "call_seconds", 6000, "10.00")]
    assert periods_due(books.connection, MID_OCTOBER) == []


def test_only_the_companies_and_periods_that_changed_are_rated(books):
    assert books.rate().count_periods == 0
    books.use("2026-10-06", 50, "bolt")
    (due,) = periods_due(books.connection, MID_OCTOBER)
    assert due.period == (books.id("bolt"), OCTOBER)
    rating = books.rate()
    assert (rating.count_periods, rating.count_lines, rating.amounts) == (1, 1, {"EUR": Decimal("5.00")})
    assert books.booked("acme") == [("2026-10", "2026-10", "call_seconds", 6000, "10.00")]
    assert books.booked("bolt") == [("2026-10", "2026-10", "call_seconds", 3000, "5.00")]
    assert books.rate().count_periods == 0


def test_a_build_that_changes_nothing_makes_nothing_due(books):
    books.use("2026-10-05", 100)
    assert periods_due(books.connection, MID_OCTOBER) == []


def test_a_new_month_and_a_month_that_ended_become_due(books):
    books.at("2026-11-02")
    assert {(one.usage_period, one.is_over) for one in periods_due(books.connection, books.now)} == {
        (OCTOBER, True),
        (NOVEMBER, False),
    }


def test_the_day_of_a_change_belongs_to_the_new_plan_and_both_are_prorated(books):
    books.agree("2026-10-11", "per_minute")
    books.use("2026-10-05", 0)
    books.use("2026-10-10", 60)
    books.use("2026-10-11", 400)
    books.rate()
    # Ten days of 31 on combined (0.10 a minute), 21 on per_minute: 49 x 21/31, 500 x 21/31 = 338.709677 minutes free.
    assert books.booked() == [
        ("2026-10", "2026-10", "base_fee", 1, "33.19"),
        ("2026-10", "2026-10", "call_seconds", 27600, "15.19"),
    ]
    plans = books.rows(
        "select plan_key, usage_date from billing.rated_usage where meter = 'call_seconds'"
        " group by 1, 2 having sum(quantity) <> 0 order by 1"
    )
    assert plans == [("combined", date(2026, 10, 10)), ("per_minute", date(2026, 10, 11))]


def test_a_plan_that_is_told_late_takes_back_what_was_booked_under_the_old_one(books):
    books.agree("2026-10-01", "per_minute")
    books.rate()
    assert books.booked() == [
        ("2026-10", "2026-10", "base_fee", 1, "49.00"),
        ("2026-10", "2026-10", "call_seconds", 6000, "0.00"),
    ]
    taken = books.rows("select sum(quantity), sum(amount) from billing.rated_usage where plan_key = 'combined'")
    assert taken == [(0, 0)]


def test_a_subscription_owes_its_fee_without_usage_until_it_is_cancelled(books):
    books.agree("2026-10-01", "per_minute")
    books.agree("2026-11-10", "per_minute", status="cancelled")
    books.at("2026-12-20")
    books.rate()
    fees = [(period, amount) for period, _, charge, _, amount in books.booked() if charge == "base_fee"]
    assert fees == [("2026-10", "49.00"), ("2026-11", "16.33")]  # ten days of 30, that of the cancellation included


def test_usage_after_the_end_of_a_subscription_is_not_owed(books):
    books.agree("2026-10-10", "combined", status="cancelled")
    books.use("2026-10-10", 100)
    books.use("2026-10-12", 100)
    books.rate()
    assert books.booked() == [("2026-10", "2026-10", "call_seconds", 12000, "20.00")]


def test_minimum_and_what_does_not_add_up_are_owed_by_the_period(books):
    books.agree("2026-10-01", "committed", add_ons={"white_label": 1})
    books.use("2026-10-05", 30)
    books.use("2026-10-05", 2, meter="customers", per=1)
    books.use("2026-10-06", 1, meter="customers", per=1)
    books.connection.execute("update marts.fct_meter_usage_monthly set quantity = 2 where meter = 'customers'")
    books.rate()
    by_charge = {charge: (quantity, amount) for _, _, charge, quantity, amount in books.booked()}
    assert by_charge == {
        "base_fee": (1, "10.00"),
        "add_on:white_label": (1, "31.00"),
        "call_seconds": (1800, "3.00"),
        "customers": (2, "6.00"),
    }
    books.agree("2026-10-01", "committed")  # the add-on was a mistake
    books.rate()
    assert "add_on:white_label" not in {row[2] for row in books.booked()}
    books.at("2026-11-05")
    books.rate()
    assert ("2026-10", "2026-10", "minimum_spend", 0, "21.00") in books.booked()


def test_terms_of_the_company_s_own_take_the_place_of_the_plan_s(books):
    charge = {"model": "per_unit", "meter": "call_seconds", "per": 60, "unit_price": "0.05", "included": "10"}
    limit = {"meter": "call_seconds", "up_to": "500", "per": 60}
    books.agree("2026-10-01", "committed", overrides={"charges": [charge], "limits": [limit], "minimum_spend": "0"})
    books.rate()
    assert books.booked()[1] == ("2026-10", "2026-10", "call_seconds", 6000, "4.50")
    allowed = "select meter, included_quantity, limit_quantity, on_breach from billing.allowances"
    assert books.rows(allowed) == [("call_seconds", 600, 30000, "warn")]


def test_a_closed_period_stays_as_it_is_and_each_correction_is_booked_once(books):
    frozen = "select * from billing.rated_usage where invoice_period = %s order by line_id"
    before = books.rows(frozen, OCTOBER)
    books.at("2026-11-03")
    closing = books.close()
    assert (closing.count_lines, closing.totals) == (1, {"EUR": Decimal("10.00")})
    books.use("2026-10-05", 130)
    books.use("2026-10-07", 20)
    books.use("2026-11-02", 10)
    books.rate()
    books.use("2026-10-05", 136)
    books.rate()
    books.rate()
    assert books.rows(frozen, OCTOBER) == before
    assert books.booked() == [
        ("2026-10", "2026-10", "call_seconds", 6000, "10.00"),
        ("2026-10", "2026-11", "call_seconds", 3360, "5.60"),
        ("2026-11", "2026-11", "call_seconds", 600, "1.00"),
    ]
    corrected = books.rows("select distinct corrects from billing.rated_usage where usage_period <> invoice_period")
    assert corrected == books.rows("select line_id from billing.rated_usage where invoice_period = %s", OCTOBER)
    books.at("2026-12-03")
    books.close(NOVEMBER)
    books.use("2026-10-05", 100)  # all of it was an error
    books.rate()
    assert ("2026-10", "2026-12", "call_seconds", -2160, "-3.60") in books.booked()


def test_closing_is_written_into_the_audit_log_with_actor_and_watermark(books):
    books.at("2026-11-03")
    books.close()
    ((actor, action, subject, detail),) = books.rows("select actor, action, subject, detail from ops.audit_log")
    assert (actor, action, subject) == ("finance", "close_period", "2026-10")
    assert detail["totals"] == {"EUR": "10.000000"}
    ((received,),) = books.rows("select max(received_at) from raw.loads")
    assert datetime.fromisoformat(detail["watermark"]) == received


STALE = "update ops.usage_date_state set dirty_version = built_version + 1 where usage_date = '2026-10-05'"


@pytest.mark.parametrize(
    ("period", "now", "prepare", "sentence"),
    [
        (OCTOBER, "2026-10-20", None, "2026-10 is not over: in Europe/Berlin it ends at 2026-10-31 23:00 UTC"),
        (NOVEMBER, "2026-12-03", None, "2026-10 is still open; close it first"),
        (OCTOBER, "2026-11-03", STALE, "1 usage dates of 2026-10 wait to be rebuilt"),
    ],
)
def test_a_period_that_is_not_complete_is_not_closed(books, period, now, prepare, sentence):
    books.at(now)
    if prepare:
        books.connection.execute(prepare)
    with pytest.raises(NotClosable, match=sentence):
        books.close(period)
    assert books.rows("select * from billing.closed_periods") == []
    assert books.rows("select * from ops.audit_log") == []


def test_a_line_says_what_it_is_made_of(books):
    books.agree("2026-10-01", "per_minute")
    books.use("2026-10-05", 490)
    books.use("2026-10-06", 20)
    books.rate()
    ((quantity, unit, unit_price, amount, detail),) = books.rows(
        "select quantity, unit, unit_price, amount, detail from billing.rated_usage"
        " where plan_key = 'per_minute' and usage_date = '2026-10-06'"
    )
    assert (quantity, unit, unit_price, amount) == (1200, "second", Decimal("0.15"), Decimal("1.50"))
    assert [(step["kind"], step["quantity"], step["per"]) for step in detail] == [
        ("included", "600", 60),
        ("usage", "600", 60),
    ]


def test_single_payments_are_priced_one_by_one(books):
    own = {"charges": [{"model": "percentage", "meter": "payments", "rate_percent": 2, "fixed_per_event": "0.30"}]}
    books.connection.execute("update raw.plans set terms = terms || %s where plan_key = 'committed'", [Jsonb(own)])
    books.agree("2026-10-01", "committed", overrides={"monthly_base_fee": "0"})
    event_row = (
        "insert into intermediate.int_priced_events values (%s, '2026-10-05', 'payments', '/pay', %s, 0, %s, %s)"
    )
    for number, amount in enumerate((10, 20)):
        books.connection.execute(event_row, [books.id("acme"), f"p{number}", MID_OCTOBER, amount])
    books.use("2026-10-05", 30, meter="payments", per=1)
    books.rate()
    assert ("2026-10", "2026-10", "payments", 30, "1.20") in books.booked()
    books.connection.execute("delete from intermediate.int_priced_events where event_id = 'p1'")
    books.connection.execute("update intermediate.int_priced_events set quantity = 30")
    books.use("2026-10-05", 30, meter="payments", per=1)  # the same sum, in one payment
    books.rate()
    assert ("2026-10", "2026-10", "payments", 30, "0.90") in books.booked()


def test_an_older_ledger_is_carried_over(server):
    from integrations.postgres.schema import create_database, migrate

    url = server.url("rated_before")
    create_database(url)
    migrate(url, "0008")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "insert into billing.rated_usage values (3, 'r1:3:2026-09:calls:2026-09-01:0', '2026-09-01', '2026-09-01',"
            " 'combined', 1, 'calls', 'calls', '2026-09-01', 0, 7, 0.70, 'EUR', now())"
        )
        migrate(url)
        found = connection.execute("select terms_key, quantity, detail, corrects from billing.rated_usage").fetchall()
    assert found == [("combined:v1", 7, [], None)]


@pytest.mark.long
def test_a_month_is_closed_from_the_command_line_once_and_what_comes_late_is_on_the_next_statement(world):
    """The last of this file, since what it closes stays closed."""
    from orchestration.defs.billing.checks import usage_has_a_plan
    from orchestration.resources import WarehouseResource

    world.set_clock(datetime(2026, 11, 3, 12, tzinfo=UTC))
    runner = CliRunner()
    asked = runner.invoke(app, ["billing", "close", "2026-10"], input="n\n")
    assert asked.exit_code == 1
    assert "2026-10: 1 lines, 10.00 EUR" in asked.output
    assert world.rows("select * from billing.closed_periods") == []
    done = runner.invoke(app, ["billing", "close", "2026-10", "--yes", "--actor", "finance"])
    assert (done.exit_code, "2026-10 is closed" in done.output) == (0, True)
    again = runner.invoke(app, ["billing", "close", "2026-10", "--yes"])
    assert again.exit_code == 1
    assert "2026-10 was closed at 2026-11-03 12:00 UTC by finance." in again.output
    assert "write it like 2026-10" in runner.invoke(app, ["billing", "close", "October"]).output

    cancelled = subscription("bolt", plan="combined", status="cancelled", valid_from="2026-10-20T09:00:00+02:00")
    world.land("subscriptions", "cancelled.ndjson", lines(cancelled))
    late = [
        event("2", "2026-10-06T10:00:00+02:00", duration_seconds=600),
        event("3", "2026-10-21T10:00:00+02:00", "bolt"),
    ]
    world.land("events", "late.ndjson", lines(*late))
    world.tick("landing_files_sensor", "changed_usage_dates_sensor", "billing_sync_sensor")
    statements = world.rows(
        "select invoice_period, total_amount, corrections_amount, is_closed from marts.fct_statements order by 1"
    )
    assert statements == [(OCTOBER, 10, 0, True), (NOVEMBER, 1, 1, False)]
    assert "closed" in runner.invoke(app, ["billing", "list"]).output
    check = usage_has_a_plan(WarehouseResource())
    assert not check.passed
    assert "bolt: 1 events on 1 days, 2026-10-21" in str(check.metadata["usage_without_a_plan"].value)
