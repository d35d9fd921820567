import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.events.contract import Refused, decode_line
from integrations.events.directory import Directory
from integrations.events.normalise import ROW_COLUMNS, Normaliser
from tests.feeds import event
from tests.integrations.events.test_directory import row as company_row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEEK = {day: ["08:00", "18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


def row_of(time="2026-11-02T09:00:00Z", zone="Europe/Berlin", hours=WEEK, branches=(), **changes):
    """The row of an event, as a dictionary; changes are of the event's data, or with a leading _ of its envelope."""
    companies = [company_row(NOW, time_zone=zone, business_hours=hours)]
    found = [{"company_id": 1, "branch_key": key, "branch_id": i} for i, key in enumerate(branches, 5)]
    document = event("1", time, **{name: value for name, value in changes.items() if name[0] != "_"})
    document |= {name[1:]: value for name, value in changes.items() if name[0] == "_"}
    normaliser = Normaliser.at(Directory.from_rows(companies, found), NOW)
    return dict(zip(ROW_COLUMNS, normaliser.row(decode_line(json.dumps(document).encode())), strict=True))


def refusal(*arguments, **options):
    with pytest.raises(Refused) as caught:
        row_of(*arguments, **options)
    return caught.value.reason, caught.value.field


@pytest.mark.parametrize(
    ("zone", "time", "day", "minute"),
    [
        # Berlin: 23 hours on 2026-03-29 (02:00 -> 03:00), 25 hours on 2026-10-25 (03:00 -> 02:00)
        ("Europe/Berlin", "2026-03-28T23:00:00Z", date(2026, 3, 29), 0),
        ("Europe/Berlin", "2026-03-28T22:59:59Z", date(2026, 3, 28), 1439),
        ("Europe/Berlin", "2026-03-29T00:59:59Z", date(2026, 3, 29), 119),
        ("Europe/Berlin", "2026-03-29T01:00:00Z", date(2026, 3, 29), 180),
        ("Europe/Berlin", "2026-03-29T21:59:59Z", date(2026, 3, 29), 1439),
        ("Europe/Berlin", "2026-03-29T22:00:00Z", date(2026, 3, 30), 0),
        ("Europe/Berlin", "2026-10-24T22:00:00Z", date(2026, 10, 25), 0),
        ("Europe/Berlin", "2026-10-25T00:30:00Z", date(2026, 10, 25), 150),
        ("Europe/Berlin", "2026-10-25T01:30:00Z", date(2026, 10, 25), 150),
        ("Europe/Berlin", "2026-10-25T02:00:00Z", date(2026, 10, 25), 180),
        ("Europe/Berlin", "2026-10-25T22:59:59Z", date(2026, 10, 25), 1439),
        # New York: 2026-03-08 (02:00 -> 03:00) and 2026-11-01 (02:00 -> 01:00)
        ("America/New_York", "2026-03-08T06:59:00Z", date(2026, 3, 8), 119),
        ("America/New_York", "2026-03-08T07:00:00Z", date(2026, 3, 8), 180),
        ("America/New_York", "2026-11-01T05:30:00Z", date(2026, 11, 1), 90),
        ("America/New_York", "2026-11-01T06:30:00Z", date(2026, 11, 1), 90),
        ("America/New_York", "2026-11-02T04:59:00Z", date(2026, 11, 1), 1439),
        ("America/New_York", "2026-11-01T23:30:00-05:00", date(2026, 11, 1), 1410),
        # zones with half and quarter hours
        ("Asia/Kolkata", "2026-11-01T18:29:00Z", date(2026, 11, 1), 1439),
        ("Asia/Kolkata", "2026-11-01T18:30:00Z", date(2026, 11, 2), 0),
        ("Asia/Kathmandu", "2026-11-01T18:15:00Z", date(2026, 11, 2), 0),
        ("Asia/Kathmandu", "2026-11-01T18:14:59Z", date(2026, 11, 1), 1439),
        ("Australia/Lord_Howe", "2026-10-03T15:29:00Z", date(2026, 10, 4), 119),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00Z", date(2026, 10, 4), 150),
        # the far ends of the world
        ("Pacific/Kiritimati", "2026-11-01T10:00:00Z", date(2026, 11, 2), 0),
        ("Pacific/Pago_Pago", "2026-11-02T10:59:00Z", date(2026, 11, 1), 1439),
    ],
)
def test_usage_counts_on_the_local_day_and_minute(zone, time, day, minute):
    found = row_of(time, zone)
    assert (found["usage_date"], found["local_minute"]) == (day, minute)


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(datetime(1990, 1, 2), datetime(2026, 11, 20), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Monrovia"]
    ),
)
def test_local_days_and_minutes_agree_with_the_calendar_at_any_time(time, zone):
    found, local = row_of(time.isoformat(), zone), time.astimezone(ZoneInfo(zone))
    assert (found["usage_date"], found["local_minute"]) == (local.date(), local.hour * 60 + local.minute)
    assert found["occurred_at"] == time


@pytest.mark.parametrize(
    ("time", "is_after_hours"),
    [
        ("2026-11-02T07:59:59+01:00", True),
        ("2026-11-02T08:00:00+01:00", False),
        ("2026-11-02T17:59:59+01:00", False),
        ("2026-11-02T18:00:00+01:00", True),
        ("2026-11-01T12:00:00+01:00", True),  # a Sunday
    ],
)
def test_opening_hours_begin_with_their_first_minute_and_end_before_their_last(time, is_after_hours):
    assert row_of(time)["is_after_hours"] is is_after_hours


def test_a_company_that_never_closes_has_no_after_hours():
    always = {day: ["00:00", "24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    assert not any(
        row_of(f"2026-11-0{d}T{h:02}:59:00Z", hours=always)["is_after_hours"] for d in (1, 2) for h in (0, 23)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "2026-11-02T10:00:00+01:00"},
        {"time": "2026-11-02T04:00:00.000-05:00"},
        {"revenue": 12.50},
        {"revenue": "12.500"},
        {"quantity": 1},
        {"quantity": "1.0"},
        {"properties": {}},
        {"_specversion": "1.1"},
    ],
)
def test_the_fingerprint_does_not_depend_on_how_something_is_written(changes):
    assert row_of(**{"revenue": 12.5, **changes})["content_hash"] == row_of(revenue=12.5)["content_hash"]


def test_nothing_is_nothing_with_either_sign():
    assert row_of(quantity="-0.0", revenue=-0.0)["content_hash"] == row_of(quantity=0, revenue=0)["content_hash"]


def test_the_fingerprint_does_not_depend_on_the_order_of_properties():
    first, second = ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1})
    assert row_of(properties=first)["content_hash"] == row_of(properties=second)["content_hash"]


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "2026-11-02T09:00:01Z"},
        {"time": "2026-11-02T09:00:00.001Z"},
        {"_type": "chat"},
        {"duration_seconds": 121},
        {"duration_seconds": None},
        {"quantity": 2},
        {"revenue": 0},
        {"outcome": "failure"},
        {"customer": "c-2"},
        {"service": "cut"},
        {"channel": "web"},
        {"branch": "main"},
        {"currency": "EUR"},
        {"properties": {"a": 1}},
        {"own": 1},
    ],
)
def test_the_fingerprint_changes_with_anything_that_is_said(changes):
    assert row_of(branches=["main"], **changes)["content_hash"] != row_of()["content_hash"]


def test_the_fingerprint_is_the_same_in_every_release():
    assert row_of()["content_hash"] == 3892081059998100504  # else each resend of what is stored becomes a conflict


@pytest.mark.parametrize(("ahead", "is_refused"), [(300, False), (300.000001, True), (86_400, True)])
def test_producers_clocks_may_be_five_minutes_ahead(ahead, is_refused):
    time = (NOW + timedelta(seconds=ahead)).isoformat()
    if is_refused:
        assert refusal(time) == ("in_future", "time")
    else:
        assert row_of(time)["occurred_at"] == NOW + timedelta(seconds=ahead)


@pytest.mark.parametrize(
    "time", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1989-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_the_time_of_a_clock_that_was_never_set_is_refused(time, zone):
    assert refusal(time, zone) == ("too_old", "time")


def test_the_last_instant_that_can_be_written_is_in_the_future():
    assert refusal("9999-12-31T23:59:59-12:00") == ("in_future", "time")


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"_subject": "nobody"}, "unknown_company", "subject"),
        ({"branch": "elsewhere"}, "unknown_branch", "data.branch"),
        ({"duration_seconds": -1}, "negative_duration", "data.duration_seconds"),
        ({"duration_seconds": 10**30}, "invalid_field", "data.duration_seconds"),
        ({"currency": "USD"}, "currency_mismatch", "data.currency"),
        ({"revenue": -0.01}, "negative_revenue", "data.revenue"),
        ({"revenue": "NaN"}, "invalid_field", "data.revenue"),
        ({"revenue": "sNaN"}, "invalid_field", "data.revenue"),
        ({"quantity": "Infinity"}, "invalid_field", "data.quantity"),
        ({"quantity": "1e1000000000"}, "invalid_field", "data.quantity"),
        ({"quantity": "1e-1000000000"}, "invalid_field", "data.quantity"),
        ({"quantity": "-1e14"}, "invalid_field", "data.quantity"),
        ({"quantity": "99999999999999.9999999"}, "invalid_field", "data.quantity"),
    ],
)
def test_what_can_not_be_counted_is_refused_with_reason_and_field(changes, reason, field):
    assert refusal(**changes) == (reason, field)


def test_an_event_without_a_branch_belongs_to_branch_zero():
    assert row_of()["branch_id"] == 0
    assert row_of(branches=["main"], branch="main")["branch_id"] == 5


@pytest.mark.parametrize(("given", "currency"), [({}, None), ({"revenue": 0}, "EUR"), ({"currency": "EUR"}, None)])
def test_an_amount_has_the_currency_of_its_company_and_no_amount_has_none(given, currency):
    assert row_of(**given)["currency"] == currency


def test_quantities_below_zero_are_corrections():
    assert row_of(quantity=-2.5)["quantity"] == Decimal("-2.5")


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(timezones=st.timezones()),
    st.fixed_dictionaries(
        {},
        optional={
            "quantity": st.decimals() | st.integers(),
            "revenue": st.decimals() | st.integers(),
            "duration_seconds": st.integers(),
            "customer": st.text(min_size=1, alphabet=st.characters(codec="utf-8")),
        },
    ),
)
def test_any_event_of_the_contract_has_a_row_or_is_refused(time, data):
    with suppress(Refused):
        written = {name: str(value) if isinstance(value, Decimal) else value for name, value in data.items()}
        row_of(time.isoformat(), "America/New_York", **written)
