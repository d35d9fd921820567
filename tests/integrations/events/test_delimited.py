import io
import json

import pytest

from integrations.events.contract import Refused
from integrations.events.delimited import mapped_lines
from integrations.events.mapping import Filtered, SourceMapping
from integrations.events.readers import UnreadableFile
from tests.integrations.events.test_mapping import MAPPING

SIMPLE = SourceMapping.model_validate(
    {
        "time_zone": "UTC",
        "time": {"columns": ["at"], "format": "epoch_seconds"},
        "event": {"id": "{id}", "source": "s", "type": "call", "subject": "{who}"},
        "filters": [{"name": "none", "column": "who", "equals": ["nobody"]}],
    }
)


def fates(content: str | bytes, mapping=SIMPLE):
    """Per row: its number, and the event's id, the reason of a refusal or the rule of a filter."""
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return [(number, named(outcome)) for number, _, outcome in mapped_lines(file, mapping, "calls.csv")]


def named(outcome):
    if isinstance(outcome, Refused):
        return outcome.reason
    return outcome.rule if isinstance(outcome, Filtered) else outcome[0].id


def test_each_row_has_its_number_and_its_fate():
    assert fates("id,at,who\n1,09,a\n2,10,nobody\n3,xx,a\n") == [(2, "1"), (3, "none"), (4, "invalid_field")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_are_no_content(end, mark):
    assert fates(f"{mark}id,at,who{end}1,09,a{end}2,10,b{end}") == [(2, "1"), (3, "2")]


def test_other_columns_may_be_there_in_any_order():
    assert fates("x,who,at,y,id\n,a,09,,1\n") == [(2, "1")]


def test_tabs_part_fields_where_the_mapping_says_so():
    tabbed = SIMPLE.model_copy(update={"delimiter": "\t"})
    assert fates("id\tat\twho\n1,5\t09\ta\n", tabbed) == [(2, "1,5")]


@pytest.mark.parametrize("line", ["9,09", "9,09,a,b", '"9"x,09,a', "9"])
def test_a_malformed_row_is_refused_and_its_neighbours_are_not(line):
    assert fates(f"id,at,who\n1,09,a\n{line}\n2,09,a\n") == [(2, "1"), (3, "malformed_row"), (4, "2")]


def test_empty_lines_are_passed_over_and_numbers_stay_right():
    assert fates("id,at,who\n\n1,09,a\n\r\n\n2,09,a\n") == [(3, "1"), (6, "2")]


def test_a_quoted_field_may_hold_delimiters_quotes_and_line_breaks():
    assert fates('id,at,who\n"1,""a""\n\nb",09,a\n2,09,a\n') == [(2, '1,"a"\n\nb'), (5, "2")]


@pytest.mark.parametrize("following", [1, 3, 20_000])
def test_a_quote_that_is_never_closed_costs_only_its_own_line(following):
    rows = "".join(f"{i},09,a\n" for i in range(following))
    found = fates(f'id,at,who\n"never,09,a\n{rows}')
    assert found == [(2, "malformed_row"), *((i + 3, str(i)) for i in range(following))]


def test_two_stray_quotes_cost_two_lines():
    found = fates('id,at,who\n"x,09,a\n1,09,a\n"y,09,a\n2,09,a\n')
    assert found == [(2, "malformed_row"), (3, "1"), (4, "malformed_row"), (5, "2")]


def test_the_payload_of_a_refused_row_is_what_stood_there():
    content = b'id,at,who\n1,xx,a\n"broken,09\xff,a\n'
    (_, fields, _), (_, line, _) = mapped_lines(io.BytesIO(content), SIMPLE, "calls.csv")
    assert json.loads(fields) == {"id": "1", "at": "xx", "who": "a"}
    assert line == b'"broken,09\xff,a\n'


def test_a_row_in_another_encoding_is_refused_and_its_neighbours_are_not():
    content = b"id,at,who\n1,09,a\n" + "2,09,Müller\n".encode("latin-1") + "3,09,Müller\n".encode()
    assert fates(content) == [(2, "1"), (3, "malformed_row"), (4, "3")]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("", "lacks the columns that its mapping reads: at, id, who"),
        ("\n", "lacks the columns that its mapping reads: at, id, who"),
        ("id,when\n", "lacks the columns that its mapping reads: at, who"),
        ("id;at;who\n", "lacks the columns that its mapping reads: at, id, who"),
        ("id,at,who,at\n", "has more than one column of the name at"),
        ('id,at,who,"rest\n', "has a first line that can't be read"),
    ],
)
def test_a_header_that_does_not_fit_its_mapping_is_unreadable(header, sentence):
    with pytest.raises(UnreadableFile, match=rf"^calls\.csv {sentence}"):
        fates(header)


def test_a_file_of_the_mapping_in_full(tmp_path):
    content = "call;day;time;site;customer;seconds;result\n17;02.11.2026;09:30:00;harbour;acme;90;OK\n"
    assert fates(content, SourceMapping.model_validate(MAPPING)) == [(2, "17-02.11.2026")]
