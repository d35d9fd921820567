"""What a feed says anew about usage dates that are built already must be built again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from integrations.events.feeds import load_feed, load_plans
from integrations.postgres.usage_dates import dirty_dates
from orchestration.catalogue import parse_plans
from tests.feeds import PLANS, company, subscription
from tests.integrations.events.conftest import NOW

BRANCH = {"company": "acme", "branch": "main", "name": "Main", "valid_from": "2026-11-05T00:00:00+01:00"}
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 12)


@pytest.fixture
def built(connection):
    """Twelve usage dates of November that are built."""
    connection.execute(
        "insert into ops.usage_date_state select day::date, 1, 1 from generate_series(%s, %s, interval '1 day') as day",
        [FIRST, LAST],
    )
    return connection


@pytest.fixture
def load(built, write):
    """Load rows of a feed; gives the first date that must be rebuilt, after seeing that all later ones must be, too."""
    files = iter(range(100))

    def load(feed, *rows):
        built.execute("update ops.usage_date_state set built_version = dirty_version")
        load_feed(built, feed, write(f"{next(files)}.ndjson", *rows), NOW)
        dirty = dirty_dates(built)
        if dirty:
            assert dirty == [dirty[0] + timedelta(days=i) for i in range((LAST - dirty[0]).days + 1)]
        return dirty[0].day if dirty else None

    return load


@pytest.mark.parametrize(
    ("zone", "activated_at", "day"),
    [
        ("Europe/Berlin", "2026-11-04T22:59:59Z", 4),
        ("Europe/Berlin", "2026-11-04T23:00:00Z", 5),
        ("America/New_York", "2026-11-05T04:59:59Z", 4),
        ("America/New_York", "2026-11-05T05:00:00Z", 5),
        ("Asia/Kolkata", "2026-11-04T18:30:00Z", 5),
        ("Pacific/Auckland", "2026-11-04T11:00:00Z", 5),
        ("Europe/Berlin", "2020-01-01T00:00:00Z", 1),
        ("Europe/Berlin", "2027-01-01T00:00:00Z", None),
    ],
)
def test_a_new_company_changes_the_dates_from_its_activation_on_by_its_own_calendar(load, zone, activated_at, day):
    assert load("companies", company(time_zone=zone, activated_at=activated_at)) == day


def test_several_new_companies_change_the_dates_from_the_earliest_on(load):
    rows = [company(f"c{day}", activated_at=f"2026-11-{day:02}T12:00:00Z") for day in (9, 3, 6)]
    assert load("companies", *rows) == 3


def test_a_company_that_is_described_as_before_changes_nothing(load):
    load("companies", company())
    assert load("companies", company(), company()) is None


def test_a_company_that_is_described_anew_changes_the_dates_since_its_activation(load):
    load("companies", company(activated_at="2026-11-03T12:00:00Z"))
    renamed = company(activated_at="2026-11-03T12:00:00Z", name="New", valid_from="2026-11-10T00:00:00Z")
    assert load("companies", renamed) == 3


@pytest.mark.parametrize(("before", "after"), [("03", "07"), ("07", "03")])
def test_a_corrected_activation_changes_the_dates_since_the_earlier_of_the_two(load, before, after):
    load("companies", company(activated_at=f"2026-11-{before}T12:00:00Z"))
    assert load("companies", company(activated_at=f"2026-11-{after}T12:00:00Z")) == 3


def test_a_refused_company_changes_nothing(load):
    assert load("companies", company(time_zone="Mars/Olympus"), company(currency="euro")) is None


@pytest.mark.parametrize(
    ("zone", "valid_from", "day"),
    [
        ("Europe/Berlin", "2026-11-04T22:59:59Z", 4),
        ("Europe/Berlin", "2026-11-04T23:00:00Z", 5),
        ("America/New_York", "2026-11-05T04:59:59Z", 4),
    ],
)
def test_a_new_branch_changes_the_dates_on_which_it_is_valid_by_its_companys_calendar(load, zone, valid_from, day):
    load("companies", company(time_zone=zone))
    assert load("branches", {**BRANCH, "valid_from": valid_from}) == day
    assert load("branches", {**BRANCH, "valid_from": valid_from}) is None


def test_a_branch_that_moves_changes_the_dates_from_then_on(load):
    load("companies", company())
    load("branches", BRANCH)
    assert load("branches", {**BRANCH, "city": "Bremen", "valid_from": "2026-11-08T00:00:00+01:00"}) == 8


def test_plans_change_no_usage_date_and_a_subscription_those_from_which_it_holds(load, built, write):
    load("companies", company(time_zone="America/New_York"))
    built.execute("update ops.usage_date_state set built_version = dirty_version")
    load_plans(built, write("plans.yaml", PLANS), NOW, parse_plans)
    assert dirty_dates(built) == []
    assert load("subscriptions", subscription(valid_from="2026-11-05T04:59:59Z")) == 4
    assert load("subscriptions", subscription(valid_from="2026-11-05T04:59:59Z")) is None


def test_a_date_that_is_marked_while_it_is_built_stays_dirty(load, built):
    load("companies", company(activated_at="2026-11-11T12:00:00Z"))
    load("companies", company("other", activated_at="2026-11-12T12:00:00Z"))
    assert [day.day for day in dirty_dates(built)] == [12]


def test_dates_are_marked_in_the_transaction_of_the_feed(built, write, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("power cut")

    monkeypatch.setattr("integrations.events.feeds.close_load", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        load_feed(built, "companies", write("x.ndjson", company()), datetime(2026, 11, 20, tzinfo=UTC))
    assert dirty_dates(built) == []


def test_without_usage_no_date_appears(connection, write):
    load_feed(connection, "companies", write("x.ndjson", company()), NOW)
    assert connection.execute("select count(*) from ops.usage_date_state").fetchone() == (0,)
