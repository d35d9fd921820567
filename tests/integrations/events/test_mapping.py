import pickle
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import yaml

from integrations.events.contract import Refused
from integrations.events.mapping import Filtered, MappingError, SourceMapping, load_mapping

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


def test_a_refusal_says_what_was_written():
    with pytest.raises(Refused, match="got str; 'a minute' is written"):
        event_of(seconds="a minute")
    with pytest.raises(Refused, match="subject: expected str, got null; nothing is written"):
        event_of(customer="")


def test_a_time_that_names_its_offset_keeps_it():
    made = mapping(time={"columns": ["time"], "format": "%Y-%m-%dT%H:%M:%S%z"})
    assert event_of(made, time="2026-11-02T09:30:00-05:00") == event_of(made, time="2026-11-02T14:30:00+0000")
    assert event_of(made, time="2026-03-29T02:30:00+01:00")[1] is False


def test_a_zone_may_stand_in_a_column_under_a_name_of_its_own():
    made = mapping(
        time_zone="{site}", values={"time_zone": {"MEZ": "Europe/Berlin"}}, defaults={"time_zone": "America/New_York"}
    )
    zones = ("MEZ", "Asia/Jerusalem", "+05:30", "")
    assert [event_of(made, site=zone)[0].time.hour for zone in zones] == [8, 7, 4, 14]
    with pytest.raises(Refused, match="no time zone 'CET/CEST' is known") as caught:
        event_of(made, site="CET/CEST")
    assert (caught.value.reason, caught.value.field) == ("invalid_field", "time")


@pytest.mark.parametrize("zone", [None, "{site}"])
def test_without_any_zone_a_time_must_name_its_offset(zone):
    made = mapping(time_zone=zone, time={"columns": ["time"], "format": "iso8601"})
    assert event_of(made, time="2026-11-02T09:30:00+05:30", site="")[0].time.timestamp() == 1793592000
    with pytest.raises(Refused, match="names no offset from UTC, and no time zone is given") as caught:
        event_of(made, time="2026-11-02T09:30:00", site="")
    assert caught.value.field == "time"


def test_numbers_are_brought_to_the_event_s_own():
    data = {"duration_seconds": "{seconds}", "revenue": "{price}", "quantity": "{parts}"}
    numbers = {
        "duration_seconds": {"unit": "minutes"},
        "revenue": {"decimal_mark": ","},
        "quantity": {"unit": "thousands"},
    }
    made = mapping(event={**MAPPING["event"], "data": data}, numbers=numbers, values={})
    found = event_of(made, seconds=" 1.5 ", price="1.234,50", parts="2")[0].data
    assert (found.duration_seconds, found.revenue, found.quantity) == (90, Decimal("1234.50"), Decimal(2000))
    assert event_of(made, seconds="1", price="", parts=" ")[0].data.quantity == 1
    with pytest.raises(Refused, match=r"data\.revenue: '12\.5' is no number") as caught:
        event_of(made, price="12.5", parts="1")
    assert (caught.value.reason, caught.value.field) == ("invalid_field", "data.revenue")


def test_a_default_is_taken_when_all_columns_are_empty_and_is_not_converted():
    event = {**MAPPING["event"], "subject": "{customer}{site}", "data": {"duration_seconds": "about {seconds}"}}
    numbers = {"duration_seconds": {"unit": "MM:SS"}}
    made = mapping(event=event, numbers=numbers, values={}, defaults={"subject": "us", "duration_seconds": "7"})
    assert event_of(made, seconds=" ", customer="")[0].subject == "harbour"
    found = event_of(made, seconds=" ", customer="", site="")[0]
    assert (found.subject, found.data.duration_seconds) == ("us", 7)
    with pytest.raises(Refused, match="'about 5' is not written like MM:SS"):
        event_of(made, seconds="5")


def test_free_properties_are_those_that_are_not_empty():
    made = mapping(
        event={**MAPPING["event"], "data": {"properties": {"agent": "{result}", "desk": "{site}"}}},
        values={"properties.agent": {"?": None}},
    )
    assert event_of(made)[0].data.properties == {"agent": "OK", "desk": "harbour"}
    assert event_of(made, result="?")[0].data.properties == {"desk": "harbour"}
    assert event_of(made, result="?", site="")[0].data.properties is None
    with pytest.raises(Refused, match="agent: the character NUL"):
        event_of(made, result="a\0")


def test_percent_signs_and_columns_may_stand_side_by_side():
    made = mapping(event={**MAPPING["event"], "source": "100%s{site[:2]}{call}"})
    assert event_of(made)[0].source == "100%sha17"


def test_a_mapping_that_was_used_can_be_sent_to_another_process():
    made = mapping()
    expected = event_of(made)
    assert event_of(pickle.loads(pickle.dumps(made))) == expected


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
        ({"time": {"columns": ["day"], "format": "%d.%m. %H:%M"}}, ["time.format", "does not tell the whole date"]),
        ({"time": {"columns": ["day"], "format": ["iso8601", "%Q"]}}, ["time.format.1", "use strptime's directives"]),
        ({"time": {"columns": ["day", "time"], "format": "epoch_seconds"}}, ["time: a time since the epoch stands in"]),
        (
            {"time": {"columns": ["day"], "format": ["epoch_seconds", "epoch_milliseconds"]}},
            ["time: epoch_seconds and epoch_milliseconds can't be told apart"],
        ),
        ({"time_zone": None}, ["time_zone is missing", "write %z"]),
        ({"time_zone": "{tz"}, ["time_zone: the template '{tz'"]),
        ({"time_zone": "{tz}", "defaults": {"time_zone": "Mars"}}, ["no time zone 'Mars' is known"]),
        ({"time_zone": "{tz}", "values": {"time_zone": {"x": "CEST"}}}, ["no time zone 'CEST' is known"]),
        ({"values": {"time_zone": {"MEZ": "Mars"}}}, ["no time zone 'Mars'"]),
        ({"time": None, "event": None}, ["time:", "event:"]),
        ({"event": {**MAPPING["event"], "id": "{call[1:]}"}}, ["event.id: the template '{call[1:]}' is not like"]),
        ({"event": {**MAPPING["event"], "id": "{call"}}, ["event.id: the template '{call'"]),
        ({"event": {**MAPPING["event"], "colour": "red"}}, ["event.colour"]),
        ({"values": {"outcom": {"OK": "success"}}}, ["values", "outcom"]),
        ({"values": {"outcome": {"OK": 1}}}, ["values.outcome.OK: must be text; put it in quotes"]),
        ({"event": {**MAPPING["event"], "data": {"colour": "red"}}}, ["event.data.colour: no such setting is known"]),
        ({"event": {**MAPPING["event"], "id": ""}}, ["event.id"]),
        ({"numbers": {"duration_seconds": {"unit": "days"}}}, ["numbers.duration_seconds.unit", "'minutes'"]),
        ({"numbers": {"revenue": {"unit": "cents"}}}, ["numbers are given for revenue"]),
        ({"numbers": {"outcome": {"unit": "cents"}}}, ["numbers.outcome: no such setting"]),
        ({"defaults": {"colour": "red"}}, ["defaults are given for colour"]),
        ({"defaults": {"duration_seconds": "1.5"}}, ["the default '1.5' of duration_seconds is no number"]),
        ({"defaults": {"outcome": ""}}, ["defaults.outcome"]),
        ({"filters": [{"name": "x", "column": "y", "matches": "("}]}, ["filters.0.matches", "regular expression"]),
        ({"filters": [{"name": "x", "column": "y"}]}, ["filters.0: the rule 'x' needs exactly one of"]),
        ({"filters": [{"name": "x", "column": "y", "equals": "z"}] * 2}, ["more than one filter has the name x"]),
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
