from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.stripe.meter_event_request import event_timestamp, meter_event_body, meter_event_key

DAY = date(2026, 11, 10)
ZONES = [
    "Europe/Berlin",
    "Pacific/Auckland",
    "America/New_York",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "America/Santiago",
]


def test_a_key_tells_meter_company_date_and_sequence_without_naming_the_company():
    key = meter_event_key("calls", "acme", DAY, 3)
    prefix, meter, company, day, seq = key.split(":")
    assert (prefix, meter, day, seq) == ("u1", "calls", "2026-11-10", "3")
    assert len(company) == 12
    assert int(company, 16) >= 0
    assert "acme" not in key


def test_keys_differ_between_companies_and_stay_the_same_between_runs():
    assert meter_event_key("calls", "acme", DAY, 1) == "u1:calls:accb46996fcf:2026-11-10:1"
    assert meter_event_key("calls", "other", DAY, 1) != meter_event_key("calls", "acme", DAY, 1)


def test_a_key_may_have_a_hundred_characters_and_no_more():
    longest = "m" * (101 - len(meter_event_key("m", "acme", DAY, 1)))
    assert len(meter_event_key(longest, "acme", DAY, 1)) == 100
    with pytest.raises(ValueError, match="100 characters"):
        meter_event_key(longest + "m", "acme", DAY, 1)


@pytest.mark.parametrize("meter", ["call:seconds", "call seconds", "", "größe"])
def test_a_meter_that_would_blur_a_key_is_refused(meter):
    with pytest.raises(ValueError, match="will not do in a key"):
        meter_event_key(meter, "acme", DAY, 1)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", datetime(2026, 11, 10, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 10, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 10, 5, tzinfo=UTC)),
        ("UTC", datetime(2026, 11, 10, tzinfo=UTC)),
    ],
)
def test_the_timestamp_is_the_later_of_local_and_utc_midnight(zone, expected):
    assert event_timestamp(DAY, zone) == int(expected.timestamp())


def test_a_midnight_that_does_not_exist_is_the_first_instant_of_the_day():
    # Clocks in Santiago went from 24:00 to 01:00 on this date.
    zone = ZoneInfo("America/Santiago")
    instant = datetime.fromtimestamp(event_timestamp(date(2024, 9, 8), zone.key), zone)
    assert instant == datetime(2024, 9, 8, 1, tzinfo=zone)


@given(st.dates(date(2000, 1, 1), date(2035, 12, 31)), st.sampled_from(ZONES))
def test_the_timestamp_lies_in_the_local_day_and_in_the_utc_day(day, zone):
    instant = event_timestamp(day, zone)
    assert datetime.fromtimestamp(instant, UTC).date() == day
    assert datetime.fromtimestamp(instant, ZoneInfo(zone)).date() == day


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "Europe", "", "../etc/passwd"])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(ValueError, match="is no IANA time zone"):
        event_timestamp(DAY, zone)


def test_the_body_is_exactly_what_stripe_takes(event):
    assert meter_event_body(event(quantity=-7)) == {
        "event_name": "usage_calls",
        "identifier": "u1:calls:accb46996fcf:2026-11-10:1",
        "timestamp": 1_794_268_800,
        "payload": {"stripe_customer_id": "cus_1", "value": "-7"},
    }


def test_the_body_has_only_keys_that_the_sdk_knows(event):
    from stripe.params.billing import MeterEventCreateParams

    assert meter_event_body(event()).keys() <= MeterEventCreateParams.__annotations__.keys()


@pytest.mark.parametrize(
    ("overrides", "wrong"),
    [
        ({"quantity": 10**15}, "value"),
        ({"quantity": True}, "value"),
        ({"quantity": 1.0}, "value"),
        ({"quantity": None}, "value"),
        ({"timestamp": 1.5}, "timestamp"),
        ({"timestamp": True}, "timestamp"),
        ({"timestamp": -1}, "timestamp"),
        ({"stripe_customer_id": None}, "stripe_customer_id"),
        ({"stripe_customer_id": "cus 1"}, "stripe_customer_id"),
        ({"event_name": ""}, "event_name"),
        ({"key": "k" * 101}, "identifier"),
        ({"key": ""}, "identifier"),
        ({"event_name": "", "quantity": None}, "event_name, value"),
    ],
)
def test_a_body_that_stripe_would_refuse_is_never_built(event, overrides, wrong):
    with pytest.raises(ValueError, match=f"Stripe would refuse its {wrong};"):
        meter_event_body(event(**overrides))


@pytest.mark.parametrize("quantity", [10**15 - 1, -(10**15) + 1, 0])
def test_fifteen_digits_fit(event, quantity):
    assert meter_event_body(event(quantity=quantity))["payload"]["value"] == str(quantity)
