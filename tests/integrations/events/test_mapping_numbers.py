import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from integrations.events.mapping_numbers import Duration, Money, Quantity


@pytest.mark.parametrize(
    ("unit", "text", "seconds"),
    [
        ("seconds", "90", 90),
        ("milliseconds", "90000", 90),
        ("minutes", "1.5", 90),
        ("hours", "0.025", 90),
        ("HH:MM:SS", "00:01:30", 90),
        ("HH:MM:SS", "100:00:00", 360_000),
        ("HH:MM:SS", "0:01:29,6", 90),
        ("MM:SS", "90:05", 5405),
        ("HH:MM", "1:30", 5400),
        ("HH:MM", "-0:01", -60),
        ("minutes", "-1.5", -90),
    ],
)
def test_a_duration_becomes_seconds(unit, text, seconds):
    assert Duration(unit=unit).read(text) == seconds


@pytest.mark.parametrize(
    ("rounding", "whole"),
    [("half_up", [1, 2, 3, 2, 0]), ("up", [2, 2, 3, 2, 1]), ("down", [1, 1, 2, 2, 0])],
)
def test_a_part_of_a_second_is_rounded_by_the_rule(rounding, whole):
    duration = Duration(unit="milliseconds", rounding=rounding)
    assert [duration.read(text) for text in ("1499.999", "1500", "2500", "2000", "1")] == whole


@pytest.mark.parametrize("rounding", ["half_up", "up", "down"])
def test_a_negative_duration_stays_one_however_small(rounding):
    assert Duration(rounding=rounding).read("-0.001") == -1
    assert Duration(unit="HH:MM:SS", rounding=rounding).read("-00:00:00.4") == -1


@given(st.integers(0, 10**9))
def test_whole_seconds_come_back_from_every_way_of_writing_them(seconds):
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    written = {
        "seconds": str(seconds),
        "milliseconds": f"{seconds}000",
        "HH:MM:SS": f"{hour:02d}:{minute:02d}:{second:02d}",
    }
    if minutes < 10**6:
        written["MM:SS"] = f"{minutes}:{second:02d}"
    assert {Duration(unit=unit).read(text) for unit, text in written.items()} == {seconds}


@given(st.decimals(-(10**12), 10**12, places=3, allow_nan=False))
def test_an_amount_comes_back_from_every_notation(amount):
    plain = f"{amount:,f}"
    english, german = plain, plain.translate(str.maketrans(",.", ".,"))
    assert Money().read(plain.replace(",", "")) == amount
    assert Money(decimal_mark=".").read(english) == Money(decimal_mark=",").read(german) == amount
    assert Money(unit="cents", decimal_mark=",").read(german) * 100 == amount


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        (",", "1.234.567,5"),
        (",", "1 234 567,5"),
        (",", "1\u202f234\u202f567,5"),
        (".", "1,234,567.5"),
        (".", "1'234'567.5"),
    ],
)
def test_digits_may_be_grouped_where_a_decimal_mark_is_given(mark, text):
    assert Quantity(decimal_mark=mark).read(text) == Decimal("1234567.5")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Money(), "1,234"),
        (Money(), "12,5"),
        (Money(decimal_mark=","), "12.34,5"),
        (Money(decimal_mark=","), "1.23"),
        (Money(decimal_mark=","), "1.234 567"),
        (Money(decimal_mark=","), "1,5,5"),
        (Money(decimal_mark="."), ".5"),
        (Money(), "12 EUR"),
        (Money(), "1e3"),
        (Money(), "NaN"),
        (Money(), "٣"),
        (Money(), "9" * 41),
        (Quantity(unit="thousands"), "-"),
        (Duration(unit="minutes"), "00:01"),
        (Duration(unit="HH:MM:SS"), "00:60:00"),
        (Duration(unit="HH:MM:SS"), "01:30"),
        (Duration(unit="MM:SS"), "1:5"),
        (Duration(unit="HH:MM"), "1:30:00"),
    ],
)
def test_a_number_that_is_written_otherwise_is_named(number, text):
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        number.read(text)


def test_an_amount_is_converted_without_any_loss():
    assert Money(unit="cents").read("9" * 40) == Decimal("9" * 38 + ".99")
    assert Quantity(unit="millions").read("0.000001") == 1


@pytest.mark.parametrize(
    ("model", "unit"), [(Duration, "cents"), (Money, "minutes"), (Quantity, "seconds"), (Duration, "hh:mm:ss")]
)
def test_a_unit_that_the_field_does_not_know_is_refused_with_those_that_it_knows(model, unit):
    with pytest.raises(ValidationError, match="Input should be '"):
        model(unit=unit)
