import json
import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from integrations.events.contract import Refused, decode_line
from integrations.events.formats import foreign_rows
from integrations.events.mapping import Filtered, SourceMapping
from integrations.events.parquet import parquet_events
from integrations.events.readers import UnreadableFile
from tests.feeds import event
from tests.integrations.events.test_loader import counts

AT = datetime(2026, 11, 2, 8, tzinfo=UTC)
EXACT = Decimal("12345678901.123456")
MAPPING = SourceMapping.model_validate(
    {
        "time_zone": "Europe/Berlin",
        "time": {"columns": ["at"], "format": "%Y-%m-%d %H:%M:%S.%f"},
        "event": {
            "id": "{no}",
            "source": "/bank",
            "type": "call",
            "subject": "{who}",
            "data": {"duration_seconds": "{seconds}", "revenue": "{fee}", "currency": "EUR"},
        },
        "filters": [{"name": "tests", "column": "who", "equals": ["test"]}],
    }
)


@pytest.fixture
def table(tmp_path):
    """Write columns, each of one value or of one a row, as Parquet; a column may be an Arrow array."""

    def to_file(columns, rows=1, **options):
        arrays = {
            name: values if isinstance(values, pa.Array) else pa.array(values if isinstance(values, list) else [values])
            for name, values in columns.items()
        }
        path = tmp_path / "calls.parquet"
        parquet.write_table(pa.table(arrays), path, **options)
        return path

    return to_file


def row(**columns):
    return {"id": "1", "source": "/phone", "type": "call", "subject": "acme", "time": AT, **columns}


def verdicts(path):
    """Of each row the event, or the reason and the field of its refusal."""
    found = []
    for line in parquet_events(path, path.name):
        try:
            found.append(decode_line(line))
        except Refused as refused:
            found.append((refused.reason, refused.field))
    return found


def payload(path):
    (event,) = verdicts(path)
    assert not isinstance(event, tuple), event
    return event.data


@pytest.mark.parametrize(
    "columns",
    [
        {"data": {"duration_seconds": 90, "outcome": "success", "customer": None, "tier": "gold"}},
        {"data": '{"duration_seconds": 90,\n "outcome": "success", "tier": "gold"}'},
        {"data": b'{"duration_seconds": 90, "outcome": "success", "tier": "gold"}'},
        {"data": pa.array(['{"duration_seconds": 90, "outcome": "success", "tier": "gold"}'], pa.json_())},
        {"duration_seconds": 90, "outcome": "success", "customer": pa.nulls(1), "tier": "gold", "specversion": "1.0"},
        {"duration_seconds": 90.0, "outcome": pa.array(["success"]).dictionary_encode(), "tier": b"gold"},
    ],
    ids=["struct", "text", "bytes", "JSON type", "columns", "columns of other types"],
)
def test_a_payload_is_a_struct_or_json_text_or_lies_in_columns_of_its_own(table, columns):
    said = payload(table(row(**columns)))
    assert (said.duration_seconds, said.outcome, said.customer) == (90, "success", None)
    assert said.properties == {"tier": "gold"}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "+05:30"])
def test_an_instant_is_read_in_any_unit_and_zone(table, unit, zone):
    (event,) = verdicts(table(row(time=pa.array([AT], pa.timestamp(unit, zone)), data="{}")))
    assert event.time == AT


def test_a_fraction_of_a_microsecond_is_rounded_as_in_json(table):
    instant = pa.array([1_793_606_400_123_456_789], pa.timestamp("ns", "UTC"))
    (event,) = verdicts(table(row(time=instant, data="{}")))
    written = json.dumps({**row(), "time": "2026-11-02T08:00:00.123456789Z", "data": {}})
    assert event.time == decode_line(written.encode()).time == AT.replace(microsecond=123_457)


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        ({"time": datetime(2026, 11, 2, 8)}, ("naive_time", "time")),  # noqa: DTZ001
        ({"time": pa.array([2**62], pa.timestamp("ms", "UTC"))}, ("invalid_field", "time")),
        ({"time": pa.array([2**62], pa.timestamp("us", "UTC"))}, ("invalid_field", "time")),
        ({"time": date(2026, 11, 2)}, ("invalid_field", "time")),
        ({"time": 1_793_606_400}, ("invalid_field", "time")),
        ({"id": pa.nulls(1)}, ("missing_field", "id")),
        ({"id": 7}, ("invalid_field", "id")),
        ({"id": "a\0b"}, ("invalid_field", None)),
        ({"id": b'\xff", "id": "x'}, ("malformed_json", None)),
        ({"data": pa.array([None], pa.struct([("outcome", pa.string())]))}, ("missing_field", "data")),
        ({"data": pa.nulls(1, pa.string())}, ("missing_field", "data")),
        ({"data": '{"outcome": "success"'}, ("invalid_field", "data")),
        ({"data": '{}, "subject": "other"'}, ("invalid_field", "data")),
        ({"data": "[1]"}, ("invalid_field", "data")),
        ({"data": b'{"outcome": "\xff"}'}, ("invalid_field", "data")),
        ({"data": '{"outcome": "a\nb"}'}, ("invalid_field", "data")),
        ({"data": "[" * 100_000}, ("invalid_field", "data")),
        ({"data": json.dumps({"a": "x" * (1 << 20)})}, ("line_too_long", None)),
        ({"duration_seconds": 1.5}, ("invalid_field", "data.duration_seconds")),
        ({"duration_seconds": "90"}, ("invalid_field", "data.duration_seconds")),
        ({"duration_seconds": float("nan")}, ("invalid_field", "data.duration_seconds")),
        ({"outcome": pa.array([b"\xff\n"])}, ("malformed_json", None)),
        ({"branch": True}, ("invalid_field", "data.branch")),
        ({"properties": pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int8()))}, ("malformed_json", None)),
    ],
)
def test_a_row_that_breaks_the_contract_has_the_verdict_of_a_line(table, columns, refusal):
    (found,) = verdicts(table(row(**columns)))
    assert isinstance(found, tuple), found
    assert refusal[0] == found[0]
    assert refusal[1] in (found[1], None)


def test_text_that_is_no_utf8_under_the_type_of_text_is_refused_alone(table):
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffb")]
    )
    columns = {name: [value] * 2 for name, value in row().items()}
    found = verdicts(table({**columns, "id": broken}, store_schema=False))
    assert (found[0], found[1].id) == (("malformed_json", None), "b")


@pytest.mark.parametrize("kind", [pa.decimal128(20, 6), pa.decimal128(38, 10), pa.decimal256(60, 6)])
def test_decimals_and_integers_keep_every_digit(table, kind):
    said = payload(table(row(revenue=pa.array([EXACT], kind), quantity=2**53 + 1)))
    assert (said.revenue, said.quantity) == (EXACT, Decimal(2**53 + 1))


def test_numbers_that_are_none_reach_no_amount(table, load):
    path = table({name: [value] * 2 for name, value in row(revenue=float("nan")).items()})
    assert counts(load(path)) == (2, 0, 0, 2, 0)


def test_uuids_are_written_as_people_know_them(table):
    key = uuid.UUID("12345678-1234-5678-1234-567812345678")
    (event,) = verdicts(table(row(id=pa.array([key.bytes], pa.uuid()), data="{}")))
    assert event.id == str(key)


def test_nested_properties_are_kept(table):
    properties = pa.array(
        [[("a", {"b": [1, None], "at": AT, "fee": Decimal("1.50")})]],
        pa.map_(
            pa.string(),
            None
            or pa.struct([("b", pa.list_(pa.int8())), ("at", pa.timestamp("us", "UTC")), ("fee", pa.decimal128(5, 2))]),
        ),
    )
    said = payload(table(row(properties=properties)))
    assert said.properties == {"a": {"b": [1, None], "at": "2026-11-02T08:00:00Z", "fee": 1.5}}


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"id": "1", "time": AT}, "lacks the columns that .*: source, subject, type$"),
        (row(data=1), "has a column data that is neither a struct nor JSON text, but int64"),
    ],
)
def test_a_table_of_another_shape_is_unreadable(table, columns, sentence):
    with pytest.raises(UnreadableFile, match=f"^calls.parquet {sentence}"):
        verdicts(table(columns))


def test_a_column_that_is_there_twice_is_unreadable(tmp_path):
    path = tmp_path / "calls.parquet"
    values = [pa.array([value]) for value in (*row().values(), 1, 2)]
    parquet.write_table(pa.Table.from_arrays(values, [*row(), "quantity", "quantity"]), path)
    with pytest.raises(UnreadableFile, match="has more than one column of the name quantity"):
        verdicts(path)


@pytest.mark.parametrize("kept", [4, 8, 100, 0.5, 0.999])
def test_a_file_that_is_cut_off_is_unreadable(table, kept):
    path = table({name: [value] * 5_000 for name, value in row(customer="c").items()})
    content = path.read_bytes()
    path.write_bytes(content[: kept if kept > 1 else int(len(content) * kept)])
    with pytest.raises(UnreadableFile, match=r"calls\.parquet is no complete Parquet file: "):
        verdicts(path)


def test_damaged_bytes_are_never_a_crash(table):
    good = table({name: [value] * 50 for name, value in row(customer="c", data="{}").items()}).read_bytes()
    unreadable = 0
    for position in range(4, len(good) - 4, 23):
        path = table(row())
        path.write_bytes(good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :])
        try:
            verdicts(path)
        except UnreadableFile:
            unreadable += 1
    assert unreadable > 10


def outcomes(path, mapping=MAPPING):
    """Of each row its number, and its event, the reason of its refusal or the rule of its filter."""
    return [(number, named(outcome)) for number, _, outcome in foreign_rows(path, mapping, "calls.parquet")]


def named(outcome):
    if isinstance(outcome, Refused):
        return outcome.reason
    return outcome.rule if isinstance(outcome, Filtered) else outcome[0]


def foreign(**columns):
    return {"no": 17, "at": datetime(2026, 11, 2, 9, 30), "who": "acme", "seconds": 90, "fee": EXACT, **columns}  # noqa: DTZ001


def test_a_mapping_reads_typed_columns_as_text(table):
    ((number, event),) = outcomes(table(foreign(more=[[1]])))
    assert (number, event.id, event.subject, event.time) == (1, "17", "acme", datetime(2026, 11, 2, 8, 30, tzinfo=UTC))
    assert (event.data.duration_seconds, event.data.revenue) == (90, EXACT)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"seconds": 166.0}, "166"),
        ({"seconds": pa.nulls(1, pa.int64())}, ""),
        ({"seconds": True}, "true"),
        ({"seconds": date(2026, 11, 2)}, "2026-11-02"),
        ({"seconds": time(9, 30)}, "09:30:00.000000"),
        ({"seconds": AT}, "2026-11-02 08:00:00.000000Z"),
        ({"seconds": pa.array([1_793_606_400_123_456_789], pa.timestamp("ns"))}, "2026-11-02 08:00:00.123456"),
        ({"seconds": pa.array([1], pa.timestamp("s"))}, "1970-01-01 00:00:01.000"),
        ({"seconds": b"90"}, "90"),
        ({"seconds": [[1, 2]]}, "[1,2]"),
        ({"seconds": 0.1}, "0.1"),
    ],
)
def test_each_type_has_its_text(table, columns, text):
    ((_, fields, _),) = foreign_rows(table(foreign(**columns)), MAPPING, "calls.parquet")
    assert json.loads(fields)["seconds"] == text


def test_rows_of_a_mapping_have_their_own_fates(table):
    columns = foreign(no=[1, 2, 3, 4], at=[foreign()["at"]] * 4, who=[b"acme", b"test", b"\xff", None])
    found = outcomes(table({**columns, "seconds": [1, 2, 3, 4], "fee": [EXACT] * 4}))
    assert [(number, getattr(fate, "id", fate)) for number, fate in found] == [
        (1, "1"),
        (2, "tests"),
        (3, "malformed_row"),
        (4, "invalid_field"),
    ]


def test_columns_that_a_mapping_misses_are_named(table):
    with pytest.raises(UnreadableFile, match=r"lacks the columns that its mapping reads: at, fee, who$"):
        outcomes(table({"no": 1, "seconds": 2}))


def test_a_parquet_file_is_loaded_like_any_other(load, table, stored, rejected):
    columns = {name: [value] * 3 for name, value in row(duration_seconds=120).items()}
    path = table({**columns, "id": ["1", "2", None]})
    assert counts(load(path)) == (3, 2, 0, 1, 0)
    assert rejected() == [("calls.parquet", 3, "missing_field", "id")]
    assert stored() == [("1", 120), ("2", 120)]
    assert counts(load(path, name="again.parquet")) == (3, 0, 2, 1, 0)


def test_an_event_is_one_event_whether_it_comes_as_a_line_or_as_a_row(load, table, write, stored):
    load(write("x.ndjson", event("1", "2026-11-02T09:00:00+01:00", revenue="1.5")))
    columns = row(duration_seconds=120.0, outcome="success", customer="c-1", revenue=Decimal("1.50"))
    assert counts(load(table(columns))) == (1, 0, 1, 0, 0)
    assert stored() == [("1", 120)]


def test_bytes_that_were_read_through_a_mapping_are_read_anew_without_one(load, table):
    mapped = MAPPING.model_copy(update={"filters": ()})
    path = table(row(**foreign(fee="1"), duration_seconds=120))
    assert counts(load(path, mapping=mapped)) == (1, 1, 0, 0, 0)
    assert counts(load(path, name="plain.parquet")) == (1, 1, 0, 0, 0)
