"""Whatever a file says, each line has one fate, and what is stored is what the line says."""

import json
import random

import pytest

from integrations.events import parsing, readers
from tests.integrations.events.fates import NEVER_HELD, Fates, check_archive
from tests.integrations.events.mutations import HUGE, hostile_data, hostile_lines, plain, written


def fuzz_ndjson(connection, load, write, folder, seed: int, count: int) -> Fates:
    """Load hostile lines, with the ends of lines of several systems, and check the fate of each."""
    chance = random.Random(seed)
    parts = [line + chance.choice((b"\n", b"\n", b"\r\n", b"\n\n")) for line in hostile_lines(seed, count)]
    huge = [written([*plain(number).items(), ("extra", json.dumps(HUGE))]).encode() for number in (1, 2)]
    at = chance.randrange(count)
    content = b"\xef\xbb\xbf" + b"".join([*parts[:at], huge[0], b"\n", *parts[at:], huge[1]])
    fates = Fates(connection, load(write("x.ndjson", content), hold=NEVER_HELD))
    physical = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines = {number: line for number, line in enumerate(physical, 1) if line.strip()}
    fates.check(lines)
    fates.check_payloads(lines)
    assert {f"e-{number}" for number in range(0, count, 10)} <= {key[2] for key in fates.by_key}
    assert sum(reason == "line_too_long" for reason, _ in fates.rejected.values()) == 2
    check_archive(connection, folder)
    return fates


def test_each_of_a_thousand_hostile_lines_has_one_fate(known, load, write, tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "BLOCK_SIZE", 50_000)
    monkeypatch.setattr(parsing, "usable_processes", lambda: 1)
    fates = fuzz_ndjson(known, load, write, tmp_path, seed=1, count=1_000)
    assert len(fates.accepted) > 200
    assert {reason for reason, _ in fates.rejected.values()} >= {"malformed_json", "invalid_field", "missing_field"}


def is_json(line: bytes) -> bool:
    """Tell whether a line is one JSON value, which can stand in an array; the numbers may be none."""
    try:
        json.loads(line.decode("utf-8"), parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return False
    return not line.startswith(b"\xef\xbb\xbf")


def fuzz_array(connection, load, write, seed: int, count: int) -> Fates:
    """Load the lines that can be elements as one array, with all kinds of blanks between them."""
    chance = random.Random(seed)
    elements = [line.strip(b" \t\r\n") for line in hostile_lines(seed, count) if is_json(line)]
    elements.insert(1, written([*plain(1).items(), ("extra", json.dumps(HUGE))]).encode())
    blanks = (b"", b" ", b"\n", b"\r\n\t")
    content = b",".join(chance.choice(blanks) + element + chance.choice(blanks) for element in elements)
    fates = Fates(connection, load(write("x.json", b"\n[", content, b"]\r\n"), hold=NEVER_HELD))
    lines = {number: element.replace(b"\n", b"\r") for number, element in enumerate(elements, 1)}
    fates.check(lines)
    fates.check_payloads(lines)
    assert fates.rejected[2][0] == "line_too_long"
    return fates


def test_each_element_of_a_hostile_array_has_one_fate(known, load, write):
    fates = fuzz_array(known, load, write, seed=2, count=300)
    assert len(fates.accepted) > 50


def fuzz_broken_arrays(load, write, seed: int, count: int) -> set[str]:
    """Load small arrays of which one element is any bytes; all of each is taken, or nothing with a sentence."""
    statuses = set()
    for number, line in enumerate(hostile_lines(seed, count)):
        first, last = (written(list(plain(number * 2 + i + 10_000).items())).encode() for i in range(2))
        content = b"[" + first + b"," + line + b"," + last + b"]"
        report = load(write(f"{number}.json", content), hold=NEVER_HELD)
        assert report.read == report.inserted + report.duplicate + report.rejected
        if report.status == "failed":
            assert (report.read, report.message[: len(f"{number}.json ")]) == (0, f"{number}.json ")
        else:
            assert report.inserted >= 2
        statuses.add(report.status)
    return statuses


def test_an_array_with_any_bytes_between_is_taken_as_a_whole_or_not_at_all(load, write):
    assert fuzz_broken_arrays(load, write, seed=3, count=60) == {"published", "failed"}


def fuzz_parquet(connection, load, folder, seed: int, count: int) -> Fates:
    """Load hostile payloads as JSON text in a column of Parquet, and check the fate of each row."""
    import pyarrow as pa
    from pyarrow import parquet

    chance = random.Random(seed)
    data = [plain(n)["data"] if n % 10 == 0 else hostile_data(chance) for n in range(count)]
    rows = [{**{name: json.loads(value) for name, value in plain(n).items()}, "data": data[n]} for n in range(count)]
    parquet.write_table(pa.Table.from_pylist(rows), folder / "x.parquet", row_group_size=97)
    fates = Fates(connection, load(folder / "x.parquet", hold=NEVER_HELD))
    fates.check({n + 1: written(list({**plain(n), "data": data[n]}.items())).encode() for n in range(count)})
    assert {number % 10 for number in fates.accepted} >= {1}
    assert len([number for number in fates.accepted if number % 10 == 1]) == (count + 9) // 10
    return fates


def test_each_row_of_a_hostile_parquet_file_has_one_fate(known, load, tmp_path):
    fates = fuzz_parquet(known, load, tmp_path, seed=5, count=300)
    assert len(fates.rejected) > 50


@pytest.mark.long
@pytest.mark.parametrize("seed", [11, 12])
def test_each_of_many_thousand_hostile_lines_has_one_fate(known, load, write, tmp_path, monkeypatch, seed):
    monkeypatch.setattr(readers, "BLOCK_SIZE", 200_000)
    monkeypatch.setattr(parsing, "usable_processes", lambda: 2)
    fuzz_ndjson(known, load, write, tmp_path, seed, count=12_000)


@pytest.mark.long
def test_each_of_ten_thousand_hostile_elements_has_one_fate(known, load, write):
    fuzz_array(known, load, write, seed=14, count=10_000)


@pytest.mark.long
def test_six_hundred_arrays_with_any_bytes_between_are_taken_as_a_whole_or_not_at_all(load, write):
    assert fuzz_broken_arrays(load, write, seed=16, count=600) == {"published", "failed"}


@pytest.mark.long
def test_each_of_three_thousand_hostile_rows_of_parquet_has_one_fate(known, load, tmp_path):
    fuzz_parquet(known, load, tmp_path, seed=15, count=3_000)
