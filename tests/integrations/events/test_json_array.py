import gzip
import io
import json
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.events import json_array, readers
from integrations.events.contract import Refused, decode_line
from integrations.events.formats import event_blocks
from integrations.events.json_array import array_elements
from integrations.events.readers import LONGEST_LINE, UnreadableFile, numbered_lines
from tests.feeds import event
from tests.integrations.events.test_loader import TIME, counts

MIB = 1 << 20
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


class Dribble(io.BytesIO):
    """A file of which each reading gives no more than `size` bytes."""

    size = 1

    def read(self, size=-1):
        return super().read(self.size)


def elements(content: bytes | str, size: int = 0) -> list[bytes]:
    file = Dribble(content.encode() if isinstance(content, str) else content)
    file.size = size or MIB
    return list(array_elements(file, "batch.json"))


def verdicts(write, content):
    """Of each element: its number, and its id or the reason why it was refused."""
    found = []
    for first, block in event_blocks(write("batch.json", content), "batch.json"):
        for number, line in numbered_lines(io.BytesIO(block), first):
            try:
                found.append((number, decode_line(line).id))
            except Refused as refused:
                found.append((number, refused.reason))
    return found


@settings(max_examples=50)
@given(st.lists(VALUES, max_size=6), st.integers(3, 40), st.sampled_from([None, 0, 2]), st.booleans())
def test_elements_are_what_json_sees_however_the_bytes_arrive(values, size, indent, is_ascii):
    content = json.dumps(values, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    found = elements(content, size)
    assert found == elements(content)
    assert repr([json.loads(e.decode("utf-8", "surrogatepass")) for e in found]) == repr(json.loads(json.dumps(values)))


@given(st.binary(max_size=60), st.integers(3, 20))
def test_no_bytes_break_the_splitter(content, size):
    found: list[bytes] = []
    with suppress(UnreadableFile):
        found = elements(b"[" + content, size)
    assert all(element.strip() for element in found)


@given(st.text('[]{}",:\\ 1a\n', max_size=30))
def test_whatever_json_accepts_is_split_in_the_same_way(content):
    try:
        expected = json.loads(f"[{content}")
    except ValueError:
        return
    assert [json.loads(element) for element in elements(f"[{content}", 3)] == expected


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf \r\n\t", b" \n" * 2_000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_array_is_told_by_its_first_byte_and_numbered_by_place(write, mark, pack):
    content = json.dumps([event("a", TIME), event("b", TIME)], indent=2).encode()
    assert verdicts(write, pack(mark + content + b"\r\n")) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("content", ["[]", " [ \n ] "])
def test_an_empty_array_has_no_elements(write, content):
    assert verdicts(write, content) == []


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ("7", "malformed_json"),
        ('"text, with a comma ]"', "malformed_json"),
        ("NaN", "malformed_json"),
        ("1" * 10_000, "invalid_field"),
        ("{}", "missing_field"),
        ("[{}]", "malformed_json"),
        ("[" * 100_000 + "]" * 100_000, "malformed_json"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "malformed_json"),
        ('{"a": 1]', "malformed_json"),
        ('{"a" "b"}', "malformed_json"),
        ('{"id": tru}', "malformed_json"),
        (json.dumps(event("x", "2026-11-02T09:00:00")), "naive_time"),
        (json.dumps(event("x", TIME)).replace('"x"', '"x\n"'), "malformed_json"),
        (json.dumps(event("x", TIME)).replace('"x"', '"x\0"'), "malformed_json"),
        (json.dumps(event("\0", TIME)), "invalid_field"),
        (json.dumps(event("x", TIME)).replace('"x"', '"x", "id": "twice"'), "twice"),
        (json.dumps(event("x", TIME)).encode().replace(b'"x"', b'"x\xff"'), "malformed_json"),
        (json.dumps(event("x", TIME, quantity=1)).replace('"quantity": 1', '"quantity": 1e999999999'), "x"),
    ],
)
def test_an_element_has_the_verdict_of_a_line_and_spoils_no_other(write, element, reason):
    good = json.dumps(event("good", TIME)).encode()
    element = element if isinstance(element, bytes) else element.encode()
    found = verdicts(write, b"[" + b",\n".join([good, element, good]) + b"]")
    assert found == [(1, "good"), (2, reason), (3, "good")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[", "breaks off in element 1 of its JSON array; send it again"),
        ('[{"a": 1}', "breaks off in element 1 "),
        ('[{"a": 1},', "breaks off in element 2 "),
        ('[1, {"a": "]', "breaks off in element 2 "),
        ('[1, "\\', "breaks off in element 2 "),
        ('[1, {"a": [}, 3]', "breaks off in element 2 "),
        ("[1, 2,]", r"is no JSON array: '\]' stands at element 3"),
        ("[,1]", "is no JSON array: ',' stands at element 1"),
        ("[1,,2]", "is no JSON array: ',' stands at element 2"),
        ('[1, {"a": 1} {"a": 2}]', "is no JSON array: '{' stands at element 2"),
        ("[1, 2}", "is no JSON array: '}' stands at element 2"),
        ("[1, \x0b]", r"is no JSON array: '\\x0b' stands at element 2"),
        ('[{"a": 1}]\n{"a": 2}\n', "goes on after the end of its JSON array"),
        ("[1]" + " " * 3 * MIB + "x", "goes on after the end of its JSON array"),
    ],
)
def test_what_is_no_array_is_unreadable_with_the_element_named(content, sentence):
    with pytest.raises(UnreadableFile, match=f"^batch.json {sentence}"):
        elements(content)


def test_an_element_above_one_mebibyte_is_refused_alone(write):
    long = event("x", TIME, properties={"a": "\n" * LONGEST_LINE})
    assert verdicts(write, json.dumps([event("a", TIME), long, event("b", TIME)])) == [
        (1, "a"),
        (2, "line_too_long"),
        (3, "b"),
    ]


def test_an_element_that_never_ends_makes_the_file_unreadable(monkeypatch):
    monkeypatch.setattr(json_array, "LONGEST_ELEMENT", 2 * MIB)
    assert len(elements(f'[1, "{"x" * MIB}"]')) == 2
    with pytest.raises(UnreadableFile, match="has an element 2 of more than 64 MiB"):
        elements(f'[1, "{"x" * 5 * MIB}"]')


def test_memory_does_not_grow_with_the_array(monkeypatch, write):
    monkeypatch.setattr(json_array, "READ_SIZE", 1 << 16)
    monkeypatch.setattr(readers, "BLOCK_SIZE", 1 << 16)
    element = json.dumps(event("x", TIME)).encode()
    path = write("batch.json.gz", gzip.compress(b"[" + b",".join([element] * 15_000) + b"]"))
    tracemalloc.start()
    try:
        assert sum(len(block.split(b"\n")) for _, block in event_blocks(path, "batch.json.gz")) == 15_000
        assert tracemalloc.get_traced_memory()[1] < MIB < 2 * MIB < 15_000 * len(element)
    finally:
        tracemalloc.stop()


def test_a_batch_is_loaded_like_any_other_file(load, write, stored, rejected):
    batch = [event("1", TIME), event("2", TIME), {"id": "3"}, event("1", TIME)]
    assert counts(load(write("x.json", json.dumps(batch, indent=1)))) == (4, 2, 1, 1, 0)
    assert rejected() == [("x.json", 3, "missing_field", "source")]
    assert counts(load(write("y.json", json.dumps(batch, indent=1)))) == (4, 0, 3, 1, 0)
    assert stored() == [("1", 120), ("2", 120)]


def test_an_array_that_breaks_off_leaves_nothing(load, write, stored):
    report = load(write("x.json", json.dumps([event(str(i), TIME) for i in range(50)])[:-1]))
    assert (report.status, report.message) == (
        "failed",
        "x.json breaks off in element 50 of its JSON array; send it again",
    )
    assert stored() == []
