from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from integrations.events.contract import Refused, UsageData, UsageEvent, decode_line
from integrations.events.encoding import encode_line

NINE = datetime(2026, 10, 1, 9, 30, tzinfo=ZoneInfo("Europe/Berlin"))


def event(**changes) -> UsageEvent:
    """An event in which some fields of the envelope or the payload are others."""
    data = {name: changes.pop(name) for name in list(changes) if name in UsageData.__struct_fields__}
    envelope = {"id": "1", "source": "/phone", "type": "call", "subject": "acme", "time": NINE, **changes}
    return UsageEvent(**envelope, data=UsageData(**data))


def refused_field(event: UsageEvent) -> str | None:
    """The field at fault, "" when none is named; None for an event that can be written."""
    try:
        encode_line(event)
    except Refused as refused:
        return refused.field or ""
    return None


def nested(depth: int) -> list:
    inner: list = []
    for _ in range(depth):
        inner = [inner]
    return inner


def test_a_line_is_a_cloudevent_that_says_only_what_was_given():
    line = encode_line(event(duration_seconds=120, revenue=Decimal("12.50"), currency="EUR"))
    assert line.endswith(b"}\n")
    assert msgspec.json.decode(line) == {
        "specversion": "1.0",
        "id": "1",
        "source": "/phone",
        "type": "call",
        "subject": "acme",
        "time": "2026-10-01T07:30:00Z",
        "data": {"duration_seconds": 120, "revenue": "12.50", "currency": "EUR"},
    }


@pytest.mark.parametrize(
    "time",
    [
        datetime(1990, 1, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28))),
        datetime(2026, 1, 1, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-11))),
    ],
)
def test_a_time_is_read_as_the_same_instant_in_any_zone(time):
    assert decode_line(encode_line(event(time=time))).time == time.astimezone(UTC)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"id": ""}, "id", "id: expected str of length >= 1"),
        ({"id": uuid4()}, "id", "would be read as"),
        ({"id": b"abc"}, "id", "would be read as"),
        ({"source": None}, "source", "got null"),
        ({"type": 7}, "type", "got int"),
        ({"subject": "a\0b"}, "subject", "NUL"),
        ({"time": NINE.replace(tzinfo=None)}, "time", "no time zone"),
        ({"time": date(2026, 10, 1)}, "time", "expected datetime, got date"),
        ({"time": "2026-10-01T09:30:00Z"}, "time", "expected datetime, got str"),
        ({"time": datetime(1989, 12, 31, tzinfo=UTC)}, "time", "before 1990-01-01"),
        ({"time": datetime.min.replace(tzinfo=timezone(timedelta(hours=3)))}, "time", "before 1990-01-01"),
        ({"time": datetime.max.replace(tzinfo=timezone(timedelta(hours=-3)))}, "time", "outside the calendar"),
        ({"branch": ""}, "data.branch", "length >= 1"),
        ({"customer": "x" * 513}, "data.customer", "length <= 512"),
        ({"customer": "x" * (1 << 21)}, "data.customer", "longer than 1 MiB"),
        ({"customer": "\ud800"}, "data.customer", "surrogates not allowed"),
        ({"duration_seconds": 1.0}, "data.duration_seconds", "got float"),
        ({"duration_seconds": True}, "data.duration_seconds", "got bool"),
        ({"duration_seconds": -1}, "data.duration_seconds", "is -1"),
        ({"quantity": 1.0}, "data.quantity", "would be read as Decimal('1.0')"),
        ({"quantity": "1"}, "data.quantity", "would be read as"),
        ({"quantity": None}, "data.quantity", "got null"),
        ({"quantity": Decimal("1E-5000")}, "data.quantity", "no amount"),
        ({"revenue": 12.5}, "data.revenue", "would be read as Decimal('12.5')"),
        ({"revenue": Decimal(-1)}, "data.revenue", "is -1"),
        ({"revenue": Decimal("NaN")}, "data.revenue", "no amount"),
        ({"revenue": Decimal("sNaN")}, "data.revenue", "no amount"),
        ({"properties": [1]}, "data.properties", "got array"),
        ({"properties": {"a": float("nan")}}, "data.properties", "would be read as {'a': None}"),
        ({"properties": {"a": (1,)}}, "data.properties", "would be read as {'a': [1]}"),
        ({"properties": {1: "a"}}, "data.properties", "would be read as {'1': 'a'}"),
        ({"properties": {"a": object()}}, "data.properties", "type object is unsupported"),
        ({"properties": {"a": "\0"}}, "data.properties", "NUL"),
        ({"properties": {"a": nested(50_000)}}, "data.properties", "recursion"),
        ({"properties": {"a": ["x" * 500] * 2_100}}, "data.properties", "longer than 1 MiB"),
    ],
)
def test_what_would_be_refused_or_read_as_something_else_is_never_a_line(changes, field, sentence):
    with pytest.raises(Refused) as caught:
        encode_line(event(**changes))
    assert caught.value.field == field
    assert sentence in str(caught.value)


def test_a_line_may_be_as_long_as_a_reader_takes_it_its_end_included():
    room = (1 << 20) - len(encode_line(event(properties={"a": ""})))
    assert len(encode_line(event(properties={"a": "x" * room}))) == 1 << 20
    with pytest.raises(Refused, match="longer than 1 MiB"):
        encode_line(event(properties={"a": "x" * (room + 1)}))


KEPT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.text(KEPT, min_size=1, max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
AMOUNTS = st.decimals(0, 10**13, allow_nan=False)
GOOD = st.builds(
    UsageEvent,
    id=TEXT,
    source=TEXT,
    type=TEXT,
    subject=TEXT,
    time=st.builds(datetime.fromtimestamp, st.floats(631_152_000, 4_102_444_800), st.timezones()),
    data=st.builds(
        UsageData,
        branch=st.none() | TEXT,
        customer=st.none() | TEXT,
        quantity=AMOUNTS | st.integers(-(10**13), 10**13),
        duration_seconds=st.none() | st.integers(0, 2**53),
        revenue=st.none() | AMOUNTS,
        properties=st.none() | st.dictionaries(TEXT, JSON, max_size=3),
    ),
)
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.datetimes()
FIELDS = [*UsageEvent.__struct_fields__[:-1], *UsageData.__struct_fields__]


@given(GOOD)
def test_any_good_event_is_read_as_it_was_given(good):
    line = encode_line(good)
    assert decode_line(line) == replace(good, time=good.time.astimezone(UTC))
    assert line.count(b"\n") == 1


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING | st.dictionaries(st.text(), ANYTHING), min_size=1))
def test_anything_in_any_field_is_read_as_it_was_given_or_refused_by_the_name_of_a_field(changes):
    odd = event(**changes)
    if (field := refused_field(odd)) is None:
        assert decode_line(encode_line(odd)) == replace(odd, time=odd.time.astimezone(UTC))
    else:
        assert field.removeprefix("data.") in changes
