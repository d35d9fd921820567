import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.events.contract import Refused, UsageEvent, convert_event, decode_line
from tests.feeds import event

LINE = json.dumps(event("1", "2026-10-01T09:30:00+02:00", branch="main", revenue=12.5, currency="EUR"))
REMOVED = object()


def changed(**changes) -> bytes:
    """The line with other top-level fields; those of data are given as data__field."""
    document = json.loads(LINE)
    for name, value in changes.items():
        *parents, field = name.split("__")
        target = document
        for parent in parents:
            target = target[parent]
        if value is REMOVED:
            del target[field]
        else:
            target[field] = value
    return json.dumps(document).encode()


def refusal(line: bytes) -> tuple[str, str | None, str]:
    with pytest.raises(Refused) as caught:
        decode_line(line)
    return caught.value.reason, caught.value.field, str(caught.value)


def test_a_complete_event_is_read_exactly():
    read = decode_line(LINE.encode())
    assert (read.id, read.source, read.type, read.subject) == ("1", "/phone", "call", "acme")
    assert read.time == datetime(2026, 10, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    assert (read.data.duration_seconds, read.data.revenue, read.data.quantity) == (120, Decimal("12.5"), 1)


@pytest.mark.parametrize("field", ["id", "source", "type", "subject", "time", "data"])
def test_a_missing_field_is_named(field):
    assert refusal(changed(**{field: REMOVED})) == ("missing_field", field, f"{field} is missing")


@pytest.mark.parametrize(
    ("changes", "reason", "field", "sentence"),
    [
        ({"id": ""}, "invalid_field", "id", "id: expected str of length >= 1"),
        ({"id": 7}, "invalid_field", "id", "id: expected str, got int"),
        ({"source": None}, "invalid_field", "source", "source: expected str, got null"),
        ({"subject": "x" * 513}, "invalid_field", "subject", "subject: expected str of length <= 512"),
        ({"time": "2026-10-01T09:30:00"}, "naive_time", "time", "time has no time zone; write it like"),
        ({"time": "yesterday"}, "invalid_field", "time", "time: invalid RFC3339"),
        ({"time": "2026-02-30T00:00:00Z"}, "invalid_field", "time", "time: invalid RFC3339"),
        ({"time": 1790000000}, "invalid_field", "time", "time: expected datetime, got int"),
        ({"data": []}, "invalid_field", "data", "data: expected object, got array"),
        ({"data": None}, "invalid_field", "data", "data: expected object, got null"),
        ({"data__duration_seconds": "two minutes"}, "invalid_field", "data.duration_seconds", "got str"),
        ({"data__duration_seconds": "120"}, "invalid_field", "data.duration_seconds", "got str"),
        ({"data__duration_seconds": 1.5}, "invalid_field", "data.duration_seconds", "got float"),
        ({"data__duration_seconds": True}, "invalid_field", "data.duration_seconds", "got bool"),
        ({"data__quantity": "many"}, "invalid_field", "data.quantity", "data.quantity: invalid decimal string"),
        ({"data__quantity": None}, "invalid_field", "data.quantity", "got null"),
        ({"data__revenue": [1]}, "invalid_field", "data.revenue", "got array"),
        ({"data__branch": ""}, "invalid_field", "data.branch", "length >= 1"),
        ({"data__properties": 5}, "invalid_field", "data.properties", "data.properties: expected object"),
        ({"data__properties": 5, "data__own": 1}, "invalid_field", "data.properties", "expected object"),
        ({"data__duration_seconds": "x", "data__own": 1}, "invalid_field", "data.duration_seconds", "got str"),
        ({"data__customer": "a\0b"}, "invalid_field", None, "NUL"),
        ({"data__own": {"deep": ["\0"]}}, "invalid_field", None, "NUL"),
        ({"data__customer": "x" * (1 << 20)}, "line_too_long", None, "longer than 1 MiB"),
    ],
)
def test_a_bad_field_is_refused_with_its_reason_name_and_sentence(changes, reason, field, sentence):
    found = refusal(changed(**changes))
    assert found[:2] == (reason, field)
    assert sentence in found[2]
    assert "\n" not in found[2]


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"{",
        LINE[:-1].encode(),
        LINE.encode() + b"}",
        LINE.encode() + LINE.encode(),
        changed(data__own=1)[:-1] + b", garbage",
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b"\x00",
        changed()[:-2] + b', "own": ' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
    ],
)
def test_what_is_no_json_is_refused_as_such(line):
    reason, field, sentence = refusal(line)
    assert (reason, field) == ("malformed_json", None)
    assert sentence.startswith("the line is not one JSON object")


@pytest.mark.parametrize("line", [b"[]", b"1", b"null", b'"text"', b"[" * 100_000])
def test_json_that_is_no_object_is_refused(line):
    assert refusal(line) == ("malformed_json", None, "the line is JSON, but no object")


def test_a_backslash_before_u0000_is_text_and_no_nul():
    assert decode_line(changed(data__customer="a\\u0000b")).data.customer == "a\\u0000b"


def test_fields_of_the_payload_that_the_contract_does_not_name_become_properties():
    data = decode_line(changed(data__own={"a": [1]}, data__properties={"given": 2})).data
    assert data.properties == {"own": {"a": [1]}, "given": 2}
    assert (data.duration_seconds, data.branch) == (120, "main")


def test_other_attributes_of_the_envelope_are_ignored():
    assert decode_line(changed(datacontenttype="application/json", own=[1])) == decode_line(LINE.encode())


@pytest.mark.parametrize("amount", ["0.1", "12.10", "99999999999999.123456", "100000000000000000000.5"])
@pytest.mark.parametrize("own", [{}, {"own": 1}], ids=["known fields", "with a field of its own"])
def test_amounts_are_exact_with_or_without_free_properties(amount, own):
    data = json.dumps({**own, "quantity": 0}).replace(": 0", f": {amount}")
    line = json.dumps({**json.loads(LINE), "data": 0}).replace('"data": 0', f'"data": {data}')
    assert str(decode_line(line.encode()).data.quantity) == amount


def test_text_that_holds_a_number_is_a_number_where_everything_is_text():
    fields = {"id": "1", "source": "s", "type": "call", "subject": "acme", "time": datetime(2026, 1, 1, tzinfo=UTC)}
    read = convert_event({**fields, "data": {"duration_seconds": "166", "revenue": "2.50"}})
    assert (read.data.duration_seconds, str(read.data.revenue)) == (166, "2.50")


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"id": "a\0b"}, "invalid_field", "id"),
        ({"id": None}, "invalid_field", "id"),
        ({"data": {"customer": "\0"}}, "invalid_field", "customer"),
        ({"data": {"duration_seconds": "1.5"}}, "invalid_field", "data.duration_seconds"),
        ({"data": {"duration_seconds": "nan"}}, "invalid_field", "data.duration_seconds"),
        ({"data": {"own": "1"}}, "invalid_field", "data.own"),
        ({"time": datetime(2026, 1, 1)}, "naive_time", "time"),  # noqa: DTZ001 (that is the point)
    ],
)
def test_mapped_fields_are_refused_by_the_same_contract(fields, reason, field):
    good = {"id": "1", "source": "s", "type": "call", "subject": "a", "time": datetime(2026, 1, 1, tzinfo=UTC)}
    with pytest.raises(Refused) as caught:
        convert_event({**good, "data": {}, **fields})
    assert (caught.value.reason, caught.value.field) == (reason, field)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["id", "source", "type", "subject", "time", "data"]
DATA_FIELDS = ["branch", "quantity", "duration_seconds", "revenue", "currency", "properties", "own"]


@given(st.binary() | st.text().map(str.encode))
def test_arbitrary_bytes_are_refused_and_never_raise_anything_else(line):
    with suppress(Refused):
        assert isinstance(decode_line(line), UsageEvent)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=2), st.dictionaries(st.sampled_from(DATA_FIELDS), JSON))
def test_any_json_in_any_field_is_read_or_refused(fields, data):
    document = {**json.loads(LINE), "data": data, **fields}
    with suppress(Refused):
        assert isinstance(decode_line(json.dumps(document).encode()), UsageEvent)


@settings(max_examples=300)
@given(st.integers(0, len(LINE) - 1), st.integers(0, 3), st.binary(max_size=4), st.booleans())
def test_a_damaged_line_is_read_or_refused(at, cut, put, has_own):
    line = changed(data__own={"x": 1}) if has_own else LINE.encode()
    with suppress(Refused):
        assert isinstance(decode_line(line[:at] + put + line[at + cut :]), UsageEvent)
