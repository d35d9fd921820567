"""The suites at the raw boundary: what the loaders accept keeps them, and each planted fault breaks its sentence."""

from datetime import date

import pytest

from integrations.events.holding import discard_load
from integrations.expectations.suites import LOADS, USAGE_EVENTS
from integrations.expectations.validation import validate
from tests.feeds import company, subscription
from tests.integrations.expectations.conftest import BRANCHES, broken, calls

FAULTS = {
    "companies": {
        "name = e' \\t'": "a name is not blank",
        "industry = ' '": "an industry is not blank",
        "country = 'de'": "a country is two capital letters",
        "currency = 'E1R'": "a currency is three capital letters",
        "locale = 'German'": "a locale is a language, with a country or without, like de or de-AT",
        "contact_email = 'Owner <a@b.example>'": "a contact is one bare mail address",
        "activated_at = '1899-12-31T23:59:59Z'": "an activation lies between 1900 and 9000",
        "valid_from = '9001-01-01T00:00:00Z'": "a valid-from time lies between 1900 and 9000",
    },
    "branches": {
        "name = ''": "a name is not blank",
        "company_id = 99": "a branch belongs to a company that is described",
        "branch_id = 0": "a branch has a number above 0, which is none",
        "valid_from = '1899-12-31T23:59:59Z'": "a valid-from time lies between 1900 and 9000",
    },
    "plans": {
        "version = 0": "versions count from 1",
        "plan_key = ''": "a plan key is not empty",
        "currency = 'eur', terms = terms || '{\"currency\": \"eur\"}'": "a currency is three capital letters",
        "currency = 'USD'": "the terms are in the currency of the plan",
    },
    "subscriptions": {
        "company_id = 99": "a subscription belongs to a company that is described",
        "plan_version = 7": "a subscription is to a version of a plan that is known",
        "status = 'paused'": "a status is trial, active or cancelled",
        "stripe_customer_id = 'acct_1'": "a customer of Stripe begins with cus_",
        "valid_from = '9001-01-01T00:00:00Z'": "a valid-from time lies between 1900 and 9000",
    },
    "kpis": {
        "value = -0.01": "only growth is ever negative",
        "unit = 'ratio', value = 1.01": "a ratio is a share of all, from 0 to 1",
    },
    "events": {
        "source = ''": "a source is not empty",
        "event_id = ''": "an event id is not empty",
        "event_type = ''": "an event type is not empty",
        "occurred_at = '2026-10-31T23:59:59Z'": "a usage date is at most a day off the date in UTC",
        "local_minute = 1440": "a local minute lies within its day",
        "branch_id = -1": "a branch is 0, which is none, or a known one",
        "quantity = 'NaN'": "a quantity is a number",
        "duration_seconds = -1": "a duration is never negative",
        "duration_seconds = 9007199254740993": "a duration is a number of seconds that can be",
        "revenue = -0.01": "revenue is never negative",
        "currency = null": "revenue has a currency",
        "currency = 'eur'": "a currency is three capital letters",
    },
}
TABLES = {"events": "usage_events"}
UNGUARDED = """
    alter table raw.branches drop constraint branches_company_id_branch_id_fkey;
    alter table raw.subscriptions drop constraint subscriptions_company_id_fkey;
    alter table raw.subscriptions drop constraint subscriptions_plan_key_plan_version_fkey;
    alter table raw.subscriptions drop constraint subscriptions_status_check;
    alter table raw.companies drop constraint companies_pkey;
    alter table raw.companies drop constraint companies_company_id_fkey;
    alter table raw.companies alter column name drop not null;
    alter table raw.kpis drop constraint kpis_pkey;
    alter table raw.kpis alter column value drop not null;
"""


def test_what_the_loaders_accept_keeps_its_suite(feeds, loaded):
    outcomes = {feed: feeds.judge(feed, report) for feed, report in loaded.items()}
    rows = {feed: outcome.rows for feed, outcome in outcomes.items()}
    assert rows == {"companies": 2, "branches": 2, "plans": 2, "subscriptions": 2, "kpis": 2, "events": 5}
    assert [outcome.summary for outcome in outcomes.values() if not outcome.passed] == []


@pytest.mark.parametrize("feed", FAULTS)
def test_each_planted_fault_breaks_its_sentence_and_no_other(feeds, loaded, feed):
    table = f"raw.{TABLES.get(feed, feed)}"
    for statement in filter(str.strip, UNGUARDED.split(";")):
        feeds.execute(statement)
    for fault, sentence in FAULTS[feed].items():
        feeds.execute(f"create temporary table kept as select * from {table}")
        feeds.execute(f"update {table} set {fault} where ctid = (select min(ctid) from {table})")
        assert feeds.broken(feed, loaded[feed]) == {sentence: 1}, fault
        feeds.execute(f"delete from {table}")
        feeds.execute(f"insert into {table} overriding system value select * from kept")
        feeds.execute("drop table kept")


def test_a_missing_value_and_a_second_row_of_a_key_break_their_sentences(feeds, loaded):
    for statement in filter(str.strip, UNGUARDED.split(";")):
        feeds.execute(statement)
    feeds.execute("update raw.companies set name = null where company_id = (select min(company_id) from raw.companies)")
    feeds.execute("insert into raw.companies select * from raw.companies where name is not null")
    feeds.execute("update raw.kpis set value = null where kpi = 'mrr'")
    feeds.execute("insert into raw.kpis select * from raw.kpis where kpi <> 'mrr'")
    assert feeds.broken("companies", loaded["companies"]) == {
        "name is never missing": 1,
        "a company is described once per valid-from time": 2,
    }
    assert feeds.broken("kpis", loaded["kpis"]) == {
        "value is never missing": 1,
        "a figure has one value per month and unit": 2,
    }


def test_an_event_before_the_first_year_breaks_its_sentence(feeds, loaded):
    feeds.execute("update raw.usage_events set occurred_at = '1989-12-31T23:59:59Z' where event_id = '1'")
    assert feeds.broken("events", loaded["events"]) == {
        "an event happened after 1990": 1,
        "a usage date is at most a day off the date in UTC": 1,
    }


def test_only_the_loads_that_are_named_are_judged(feeds, loaded):
    second = feeds.load("events", *calls("6", "7"))
    feeds.execute("update raw.usage_events set local_minute = 1440 where event_id = '6'")
    assert feeds.judge("events", loaded["events"]).passed
    assert feeds.broken("events", second) == {"a local minute lies within its day": 1}
    assert feeds.broken("events", loaded["events"], second) == {"a local minute lies within its day": 1}


@pytest.mark.parametrize(
    ("feed", "row", "fault"),
    [
        ("companies", company("acme"), {"locale": "German"}),
        ("branches", BRANCHES[0], {"name": " "}),
        ("subscriptions", subscription("acme", plan="basic"), {"stripe_customer_id": "acct_1"}),
    ],
)
def test_a_correction_lifts_the_fault_of_the_row_that_it_corrects(feeds, loaded, feed, row, fault):
    wrong = feeds.load(feed, row | fault)
    outcome = feeds.judge(feed, wrong)
    assert (outcome.passed, outcome.stops) == (False, False)
    right = feeds.load(feed, row | {"valid_from": row.get("valid_from") or row["activated_at"]})
    assert feeds.judge(feed, wrong).rows == 0
    assert feeds.judge(feed, right).rows == 1
    assert feeds.judge(feed, wrong, right).passed


def test_only_the_usage_dates_that_are_named_are_read(feeds, loaded):
    load_id = loaded["events"].load_id
    dates = [date(2026, 11, 1), date(2026, 11, 3)]
    assert validate(USAGE_EVENTS, feeds.url, loads=[load_id], dates=dates).rows == 0


def test_loads_that_wait_or_failed_break_their_suite_until_they_are_settled(feeds, loaded):
    assert validate(LOADS, feeds.url).passed
    feeds.load("events", *calls("11"), text="bad\n")
    held = feeds.load("events", *calls("12"), text="bad\n" * 12)
    failed = feeds.load("events", *calls("13"))
    feeds.execute(f"update raw.loads set status = 'failed' where load_id = {failed.load_id}")
    outcome = validate(LOADS, feeds.url)
    assert (outcome.passed, outcome.rows) == (False, 4)
    assert broken(outcome) == {"no load waits for its release": 1, "every file could be read": 1}
    for report in (held, failed):
        discard_load(feeds.connection, report.load_id)
    assert validate(LOADS, feeds.url).passed
