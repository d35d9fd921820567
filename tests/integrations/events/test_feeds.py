from datetime import UTC, datetime, timedelta

import pytest

from integrations.events.feeds import load_feed, load_plans
from ml.rating.catalogue import default_catalogue
from orchestration.catalogue import parse_plans
from tests.feeds import PLANS, company, lines, subscription
from tests.integrations.events.test_loader import counts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BRANCH = {"company": "acme", "branch": "main", "name": "Main", "valid_from": "2026-10-01T00:00:00Z"}


@pytest.fixture
def load(connection, write):
    """Load rows as one file of a feed; the files are called 1, 2, 3, ... unless named."""
    files = iter(range(1, 100))

    def load(feed, *rows, now=NOW, name=None):
        path = write(name or f"{next(files)}.ndjson", *rows)
        if feed == "plans":
            return load_plans(connection, path, now, parse_plans)
        return load_feed(connection, feed, path, now)

    return load


@pytest.fixture
def column(connection):
    """The values of a column in the order of receipt."""
    return lambda table, name: [
        value
        for (value,) in connection.execute(f"select {name} from raw.{table} order by received_at, load_id".encode())
    ]


@pytest.fixture
def reasons(connection):
    return lambda: connection.execute(
        "select line, reason, field from raw.rejected_events order by load_id, line"
    ).fetchall()


@pytest.mark.parametrize(
    ("zone", "valid_from", "is_accepted"),
    [
        ("Europe/Berlin", "2026-10-10T00:00:00+02:00", True),
        ("Europe/Berlin", "2026-10-09T22:00:00Z", True),
        ("Europe/Berlin", "2026-10-10T00:00:00Z", False),
        ("Europe/Berlin", "2026-10-10T12:00:00+02:00", False),
        ("America/Santiago", "2026-09-06T04:00:00Z", True),  # a day that begins at 01:00
    ],
)
def test_a_currency_changes_only_where_a_local_day_begins(load, reasons, zone, valid_from, is_accepted):
    load("companies", company(activated_at="2026-09-01T12:34:00Z", time_zone=zone))
    load("companies", company(time_zone=zone, currency="CHF", valid_from=valid_from))
    assert reasons() == ([] if is_accepted else [(1, "invalid_field", "valid_from")])


def test_a_currency_does_not_change_on_a_date_that_began_in_another_zone(load, reasons):
    load("companies", company(activated_at="2026-09-01T12:34:00Z"))
    moved = {"time_zone": "America/New_York", "currency": "USD"}
    load("companies", company(**moved, valid_from="2026-10-12T00:00:00-04:00"))
    assert reasons() == [(1, "invalid_field", "valid_from")]
    load("companies", company(currency="USD", valid_from="2026-10-12T00:00:00+02:00"))
    load("companies", company(**moved, valid_from="2026-10-12T00:00:00-04:00"))
    load("companies", company(**moved, name="New", valid_from="2026-11-12T13:00:00Z"))
    load("companies", company(activated_at="2026-09-01T12:34:00Z"))
    assert len(reasons()) == 1


def test_a_company_is_stored_as_it_was_described(connection, load):
    assert counts(load("companies", company(contact_email="a@acme.example"))) == (1, 1, 0, 0, 0)
    row = connection.execute(
        """
        select company_key, name, industry, country, time_zone, business_hours -> 'mon', locale, currency,
            activated_at, valid_from, received_at, contact_email
        from raw.companies join raw.company_ids using (company_id)
        """
    ).fetchone()
    start = datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert row == (
        *("acme", "Acme", "medical", "DE", "Europe/Berlin", ["08:00", "18:00"], "de", "EUR"),
        *(start, start, NOW, "a@acme.example"),
    )


def test_what_was_said_before_is_a_duplicate_and_a_change_is_a_new_row(load, column):
    load("companies", company())
    assert counts(load("companies", company(), now=NOW + timedelta(days=1))) == (1, 0, 1, 0, 0)
    assert counts(load("companies", company(name="New"), now=NOW + timedelta(days=2))) == (1, 1, 0, 0, 0)
    assert counts(load("companies", company(), now=NOW + timedelta(days=3))) == (1, 1, 0, 0, 0)
    assert column("companies", "name") == ["Acme", "New", "Acme"]
    assert len(set(column("companies", "company_id"))) == 1


def test_a_later_version_leaves_the_earlier_one_as_it_was(load, column):
    load("companies", company())
    load("companies", company(name="New", valid_from="2026-11-01T00:00:00Z"), now=NOW + timedelta(days=1))
    assert column("companies", "name") == ["Acme", "New"]
    assert len(set(column("companies", "valid_from"))) == 2


def test_duplicate_lines_of_a_file_count_as_such(load, column):
    assert counts(load("companies", company(), company(), company("other"))) == (3, 2, 1, 0, 0)
    assert sorted(column("companies", "name")) == ["Acme", "Other"]


def test_of_two_lines_about_the_same_the_later_one_is_received_later(load, column):
    assert counts(load("companies", company(name="First"), company(name="Second"))) == (2, 2, 0, 0, 0)
    load("companies", company(name="Third"))
    assert column("companies", "name") == ["First", "Second", "Third"]


def test_a_clock_that_was_set_back_does_not_put_news_behind_what_is_old(load, column):
    load("companies", company(name="Old"))
    load("companies", company(name="New"), now=NOW - timedelta(days=5))
    assert column("companies", "name") == ["Old", "New"]


def test_the_same_file_again_changes_nothing(load, column):
    first = load("companies", company(), "bad\n", name="x")
    again = load("companies", company(), "bad\n", name="x")
    assert (again.is_new, again.load_id, counts(again)) == (False, first.load_id, counts(first))
    assert column("companies", "name") == ["Acme"]


@pytest.mark.parametrize(
    ("changes", "reason", "field", "sentence"),
    [
        ({"time_zone": "Mars/Olympus"}, "invalid_field", "time_zone", "no time zone 'Mars/Olympus' is known"),
        ({"time_zone": "posix/Europe/Berlin"}, "invalid_field", "time_zone", "no time zone 'posix/Europe/Berlin'"),
        ({"time_zone": "../../etc/passwd"}, "invalid_field", "time_zone", "use an IANA name"),
        ({"time_zone": "Europe"}, "invalid_field", "time_zone", "use an IANA name"),
        ({"business_hours": {"mon": ["18:00", "08:00"]}}, "invalid_field", "business_hours", "business_hours.mon"),
        ({"business_hours": {"montag": []}}, "invalid_field", "business_hours", "montag"),
        ({"currency": "eur"}, "invalid_field", "currency", "currency: expected str matching"),
        ({"currency": "EUR\n"}, "invalid_field", "currency", "currency"),
        ({"country": "Germany"}, "invalid_field", "country", "country"),
        ({"activated_at": "2026-10-01T00:00:00"}, "naive_time", "activated_at", "no time zone"),
        ({"activated_at": "0001-01-01T00:00:00+01:00"}, "invalid_field", "activated_at", "no time of a business"),
        ({"valid_from": "9999-12-31T23:59:59-12:00"}, "invalid_field", "valid_from", "no time of a business"),
        ({"name": ""}, "invalid_field", "name", "length >= 1"),
        ({"name": "a\0"}, "invalid_field", None, "NUL"),
        ({"colour": "red"}, "invalid_field", "colour", "colour is not a known field"),
    ],
)
def test_a_company_that_can_not_be_used_is_refused_and_the_others_load(
    load, column, reasons, changes, reason, field, sentence
):
    report = load("companies", company("first"), company("bad", **changes), company("last"), name="x.ndjson")
    assert counts(report) == (3, 2, 0, 1, 0)
    assert reasons() == [(2, reason, field)]
    assert report.message.startswith("x.ndjson line 2" + (f", field {field}: " if field else ": "))
    assert sentence in report.message
    assert column("companies", "name") == ["First", "Last"]
    assert "bad" not in column("companies join raw.company_ids using (company_id)", "company_key")


def test_each_bad_line_is_counted_in_the_sentence(load, reasons):
    missing = company()
    del missing["name"]
    report = load("companies", "nonsense\n", missing, "[]\n", b"\xff\n", name="x.ndjson")
    assert report.message.startswith("x.ndjson line 1: the line is not one JSON object")
    assert report.message.endswith("(and 3 more)")
    assert [reason for _, reason, _ in reasons()] == [
        "malformed_json",
        "missing_field",
        "malformed_json",
        "malformed_json",
    ]


def test_a_feed_that_can_not_be_read_is_kept_as_a_failure(connection, load):
    load("companies", company("other"))
    report = load("companies", lines(company()).encode("utf-16"), name="x.ndjson")
    assert (report.status, report.message) == ("failed", "x.ndjson is UTF-16; convert it to UTF-8")
    assert connection.execute("select file_name, status from raw.loads order by 1").fetchall() == [
        ("1.ndjson", "published"),
        ("x.ndjson", "failed"),
    ]
    assert load("companies", company(), name="x.ndjson").status == "published"


def test_a_feed_is_loaded_all_or_nothing(connection, load, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("power cut")

    monkeypatch.setattr("integrations.events.feeds.close_load", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        load("companies", company(), company("other"))
    for table in ("companies", "company_ids", "loads"):
        assert connection.execute(f"select count(*) from raw.{table}".encode()).fetchone() == (0,)


def test_branches_keep_their_id_and_their_history(load, column):
    load("companies", company())
    moved = {**BRANCH, "valid_from": "2026-11-01T00:00:00Z", "city": "Bremen", "region": "North"}
    assert counts(load("branches", BRANCH, BRANCH, moved)) == (3, 2, 1, 0, 0)
    assert column("branches", "city") == [None, "Bremen"]
    assert len(set(column("branches", "branch_id"))) == 1


def test_branches_of_two_companies_may_share_a_key(load, column):
    load("companies", company(), company("other"))
    load("branches", BRANCH, {**BRANCH, "company": "other"})
    assert len(set(column("branches", "branch_id"))) == 2


@pytest.mark.parametrize("feed", ["branches", "subscriptions"])
def test_an_unknown_company_is_refused_by_name(load, reasons, feed):
    load("plans", PLANS)
    report = load(feed, BRANCH if feed == "branches" else subscription(), name="x.ndjson")
    assert reasons() == [(1, "unknown_company", "company")]
    assert report.message == "x.ndjson line 1, field company: no company 'acme' is known"


@pytest.fixture
def with_plans(load):
    load("companies", company())
    load("plans", PLANS, name="plans.yaml")


@pytest.mark.usefixtures("with_plans")
def test_subscriptions_are_a_history_too(load, column):
    later = subscription(plan="combined", valid_from="2026-11-01T00:00:00Z", status="trial")
    assert counts(load("subscriptions", subscription(), subscription(), later)) == (3, 2, 1, 0, 0)
    assert column("subscriptions", "plan_key") == ["per_minute", "combined"]
    assert column("subscriptions", "status") == ["active", "trial"]


@pytest.mark.usefixtures("with_plans")
@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"plan": "gold"}, "unknown_plan", "plan"),
        ({"plan_version": 2}, "unknown_plan", "plan"),
        ({"plan_version": 10**18}, "unknown_plan", "plan"),
        ({"plan_version": "1"}, "invalid_field", "plan_version"),
        ({"status": "paused"}, "invalid_field", "status"),
        ({"valid_from": "2026-10-01"}, "invalid_field", "valid_from"),
        ({"valid_from": "0001-01-01T00:00:00Z"}, "invalid_field", "valid_from"),
    ],
)
def test_a_subscription_that_can_not_be_used_is_refused(load, reasons, changes, reason, field):
    assert counts(load("subscriptions", subscription(**changes))) == (1, 0, 0, 1, 0)
    assert reasons() == [(1, reason, field)]


def test_the_catalogue_that_is_delivered_loads_and_loads_again_without_news(load):
    first = load("plans", default_catalogue())
    assert (first.status, first.rejected) == ("published", 0)
    again = load("plans", "# as before\n", default_catalogue())
    assert counts(again) == (first.read, 0, first.read, 0, 0)


@pytest.mark.usefixtures("with_plans")
def test_a_plan_version_that_is_known_is_never_edited(load, column, reasons):
    report = load("plans", PLANS.replace('"49.00"', '"59.00"'), name="edited.yaml")
    assert counts(report) == (2, 0, 1, 1, 0)
    assert reasons() == [(1, "plan_in_use", "version")]
    assert "plan per_minute v1 is known with other terms" in report.message
    assert "add version 2" in report.message
    assert column("plans", "terms ->> 'monthly_base_fee'") == ["49.00", "0"]


@pytest.mark.usefixtures("with_plans")
def test_a_new_version_stands_beside_the_known_ones(load, column):
    raised = PLANS.split("  - plan_key: combined")[0].replace('"49.00"', '"59.00"').replace("version: 1", "version: 2")
    assert counts(load("plans", PLANS + raised.removeprefix("\nplans:\n"))) == (3, 1, 2, 0, 0)
    assert sorted(column("plans", "plan_key || version")) == ["combined1", "per_minute1", "per_minute2"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (PLANS.replace('unit_price: "0.15"', "unit_price: a lot"), "unit_price"),
        (b"plans: \xff", "plans.yaml is not UTF-8"),
        ("plans: [", "plans.yaml"),
        ("", "plans.yaml"),
    ],
    ids=["price", "encoding", "YAML", "empty"],
)
def test_half_a_price_list_is_no_price_list(load, column, content, sentence):
    report = load("plans", content, name="plans.yaml")
    assert (report.status, counts(report)) == ("failed", (0, 0, 0, 0, 0))
    assert sentence in report.message
    assert column("plans", "plan_key") == []


def test_what_the_parser_refuses_fails_with_its_sentence(connection, write):
    def refuse(text, source):
        raise ValueError(f"{source}, plan per_minute, charge calls: the tiers overlap at 500")

    report = load_plans(connection, write("plans.yaml", PLANS), NOW, refuse)
    assert (report.status, report.message) == (
        "failed",
        "plans.yaml, plan per_minute, charge calls: the tiers overlap at 500",
    )


def test_overlapping_tiers_are_refused_with_file_and_plan(load):
    tiers = "[{up_to: 500, unit_price: 1}, {up_to: 100, unit_price: 2}, {unit_price: 3}]"
    price = '{model: per_unit, meter: appointments, unit_price: "2.00"}'
    overlapping = PLANS.replace(price, f"{{model: graduated, meter: calls, tiers: {tiers}}}", 1)
    report = load("plans", overlapping, name="p.yaml")
    assert report.status == "failed"
    assert all(word in report.message for word in ("p.yaml", "per_minute", "tier"))
