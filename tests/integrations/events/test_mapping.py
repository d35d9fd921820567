from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import yaml

from integrations.events.contract import Refused
from integrations.events.mapping import Filtered, MappingError, SourceMapping, load_mapping
from integrations.events.mapping_times import localise

BERLIN = ZoneInfo("Europe/Berlin")
MAPPING = {
    "delimiter": ";",
    "time_zone": "Europe/Berlin",
    "time": {"columns": ["day", "time"], "format": "%d.%m.%Y %H:%M:%S"},
    "event": {
        "id": "{call}-{day}",
        "source": "/pbx/{site[:3]}",
        "type": "call",
        "subject": "{customer}",
        "data": {"duration_seconds": "{seconds}", "outcome": "{result}", "branch": "{site}"},
    },
    "values": {
        "outcome": {"OK": "success", "BUSY": "missed", "*": "failure", "?": None},
        "branch": {"none": None},
    },
    "filters": [{"name": "test calls", "column": "result", "equals": ["TEST", "PHANTOM"]}],
}
ROW = {
    "call": "17",
    "day": "02.11.2026",
    "time": "09:30:00",
    "site": "harbour",
    "customer": "acme",
    "seconds": "90",
    "result": "OK",
}


@pytest.fixture
def read(write):
    return lambda content: load_mapping(
        write("mapping.yaml", content if isinstance(content, str | bytes) else yaml.safe_dump(content))
    )


def mapping(**changes):
    return SourceMapping.model_validate({**MAPPING, **changes})


def event_of(made=None, **row):
    return (made or mapping()).event_of({**ROW, **row})


@pytest.mark.parametrize(
    ("local", "utc", "is_shifted"),
    [
        ("2026-11-02T09:30", "2026-11-02T08:30", False),
        ("2026-03-29T01:59", "2026-03-29T00:59", False),
        ("2026-03-29T02:00", "2026-03-29T01:00", True),
        ("2026-03-29T02:30", "2026-03-29T01:30", True),
        ("2026-03-29T02:59:59", "2026-03-29T01:59:59", True),
        ("2026-03-29T03:00", "2026-03-29T01:00", False),
        ("2026-10-25T02:00", "2026-10-25T00:00", False),
        ("2026-10-25T02:59:59", "2026-10-25T00:59:59", False),
        ("2026-10-25T03:00", "2026-10-25T02:00", False),
    ],
)
def test_a_gap_is_shifted_forward_and_an_ambiguous_time_is_the_first(local, utc, is_shifted):
    instant = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert localise(datetime.fromisoformat(local), BERLIN) == (instant, is_shifted)


def test_a_row_becomes_an_event():
    event, is_shifted = event_of()
    assert (event.id, event.source, event.type, event.subject) == ("17-02.11.2026", "/pbx/har", "call", "acme")
    assert event.time == datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
    assert (event.data.duration_seconds, event.data.outcome, event.data.branch) == (90, "success", "harbour")
    assert (event.data.quantity, is_shifted) == (Decimal(1), False)


def test_a_time_that_does_not_exist_is_flagged():
    event, is_shifted = event_of(day="29.03.2026", time="02:30:00")
    assert (event.time, is_shifted) == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), True)


@pytest.mark.parametrize(
    ("result", "outcome"), [("OK", "success"), ("BUSY", "missed"), ("else", "failure"), ("", "failure"), ("?", None)]
)
def test_values_are_translated_and_a_star_stands_for_any_other(result, outcome):
    assert event_of(result=result)[0].data.outcome == outcome


def test_a_field_without_a_table_or_a_star_stays_as_it_is():
    assert event_of(site="none")[0].data.branch is None
    assert event_of(site="depot")[0].data.branch == "depot"
    assert event_of(site="")[0].data.branch is None


def test_a_filter_leaves_a_row_out_by_its_name():
    with pytest.raises(Filtered) as caught:
        event_of(result="PHANTOM", seconds="nonsense", day="nonsense")
    assert caught.value.rule == "test calls"


@pytest.mark.parametrize(
    ("row", "field", "sentence"),
    [
        ({"time": "9 o'clock"}, "time", "time \"02.11.2026 9 o'clock\" is not in the format '%d.%m.%Y %H:%M:%S'"),
        ({"day": "31.02.2026"}, "time", "is not in the format"),
        ({"day": "01.01.0001", "time": "00:00:00"}, "time", "01.01.0001"),
        ({"seconds": "a minute"}, "data.duration_seconds", "got str"),
        ({"seconds": "1.5"}, "data.duration_seconds", "got str"),
        ({"customer": ""}, "subject", "subject: expected str, got null"),
        ({"customer": "a\0"}, "subject", "NUL"),
    ],
)
def test_a_row_that_breaks_the_contract_is_refused_by_field(row, field, sentence):
    with pytest.raises(Refused) as caught:
        event_of(**row)
    assert (caught.value.reason, caught.value.field) == ("invalid_field", field)
    assert sentence in str(caught.value)


def test_a_time_that_names_its_offset_keeps_it():
    made = mapping(time={"columns": ["time"], "format": "%Y-%m-%dT%H:%M:%S%z"})
    assert event_of(made, time="2026-11-02T09:30:00-05:00") == event_of(made, time="2026-11-02T14:30:00+0000")
    assert event_of(made, time="2026-03-29T02:30:00+01:00")[1] is False


def test_the_columns_that_it_reads_are_those_of_templates_times_and_filters():
    assert mapping().columns() == {"call", "day", "time", "site", "customer", "seconds", "result"}


def test_a_mapping_is_read_from_its_file(read):
    assert read(MAPPING) == mapping()


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"time_zone": "Mars/Olympus"}, ["time_zone", "no time zone 'Mars/Olympus' is known"]),
        ({"time_zone": "Europe"}, ["no time zone 'Europe' is known"]),
        ({"time_zone": "../UTC"}, ["no time zone '../UTC' is known"]),
        ({"time": {"columns": [], "format": "%H"}}, ["time.columns"]),
        ({"time": None, "event": None}, ["time:", "event:"]),
        ({"event": {**MAPPING["event"], "id": "{call[1:]}"}}, ["event.id: the template '{call[1:]}' is not like"]),
        ({"event": {**MAPPING["event"], "id": "{call"}}, ["event.id: the template '{call'"]),
        ({"event": {**MAPPING["event"], "colour": "red"}}, ["event.colour"]),
        ({"values": {"outcom": {"OK": "success"}}}, ["values", "outcom"]),
        ({"values": {"outcome": {"OK": 1}}}, ["values.outcome.OK"]),
        ({"filters": [{"name": "x", "column": "y", "equals": []}]}, ["filters.0.equals"]),
        ({"delimiter": ";;"}, ["delimiter"]),
        ({"delimiter": ""}, ["delimiter"]),
        ({"delimiter": '"'}, ["delimiter"]),
        ({"delimiter": "\n"}, ["delimiter"]),
        ({"colour": "red"}, ["colour"]),
    ],
)
def test_a_mapping_that_can_not_work_names_its_file_and_every_field(read, changes, sentences):
    with pytest.raises(MappingError, match=r"^mapping\.yaml: ") as caught:
        read({**MAPPING, **changes})
    assert all(sentence in str(caught.value) for sentence in sentences)


@pytest.mark.parametrize(
    "content", ["a: [", "a: b: c", "\t- a", b"\xff\xfe", "a: \0"], ids=["bracket", "colons", "tab", "encoding", "NUL"]
)
def test_a_mapping_that_is_no_yaml_is_named(read, content):
    with pytest.raises(MappingError, match=r"^mapping\.yaml can't be read as YAML"):
        read(content)


@pytest.mark.parametrize("content", ["", "just text", "- a\n- b\n"])
def test_yaml_that_is_no_mapping_is_named(read, content):
    with pytest.raises(MappingError, match=r"^mapping\.yaml: mapping"):
        read(content)


def test_a_missing_mapping_is_named(tmp_path):
    with pytest.raises(MappingError, match=r"^gone\.yaml can't be read"):
        load_mapping(tmp_path / "gone.yaml")
