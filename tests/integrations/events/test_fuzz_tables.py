"""Whatever a foreign table says, each of its lines belongs to one row, and each row has one fate."""

import csv
import io
import json
import random
from datetime import datetime
from decimal import Decimal

import pytest

from integrations.events.mapping import SourceMapping
from tests.integrations.events.fates import NEVER_HELD, Fates, amount, check_archive

HEADER = ["id", "at", "who", "seconds", "amount", "note", "kind"]
MAPPING = SourceMapping.model_validate(
    {
        "time_zone": "UTC",
        "time": {"columns": ["at"], "format": "%Y-%m-%d %H:%M:%S"},
        "event": {
            "id": "{id}",
            "source": "/table",
            "type": "call",
            "subject": "{who}",
            "data": {
                "duration_seconds": "{seconds}",
                "quantity": "{amount}",
                "customer": "{note}",
                "properties": {"kind": "{kind}"},
            },
        },
        "filters": [{"name": "tests", "column": "kind", "equals": ["TEST"]}],
    }
)
CELLS = (
    *("", " ", "null", "NULL", "\\N", "\\.", 'a"b', "a,b", "a\nb", "a\r\nb", "a\rb", "\n\n", "😀 ü", "\0", "x" * 512),
    *("x" * 513, "y" * 140_000, "1", "1.5", "1,5", "-1", "1e3", "NaN", "7" * 5_000, "0x1", "2026-10-01 12:00:00"),
    *("9999-12-31 23:59:59", "0001-01-01 00:00:00", "2026-02-29 12:00:00", "TEST", "{}", "{id}", "%s", "'", "\u2028"),
)


def hostile_table(seed: int, count: int) -> bytes:
    """A table with odd cells and damaged rows; each tenth row is a good one."""
    chance, rows = random.Random(seed), []
    for number in range(count):
        cells = [f"r-{number}", f"2026-10-0{number % 5 + 1} 12:00:00", "acme", "60", "1.5", f"n-{number}", "call"]
        if number % 10:
            cells[-1] = "TEST" if number % 10 == 5 else "call"
            for column in chance.sample(range(7), chance.randint(0, 2)):
                cells[column] = chance.choice(CELLS)
        text = io.StringIO()
        csv.writer(text, lineterminator=chance.choice(("\n", "\r\n", "\n\n"))).writerow(cells)
        row = text.getvalue().encode()
        if number % 10 and chance.random() < 0.3:
            at = chance.randrange(len(row))
            row = (
                row[:at]
                + chance.choice((b'"', b",", b"\xff", b"\0", b"\n", b"\r", b""))
                + row[at + chance.randint(0, 1) :]
            )
            row = row if row.endswith(b"\n") else row + b"\n"
        rows.append(row)
    return b"\xef\xbb\xbf" + ",".join(HEADER).encode() + b"\n" + b"".join(rows)


def cells_at(lines: list[str], number: int) -> tuple[list[str], int]:
    """The row that begins at a line, and how many lines it has."""
    reader = csv.reader(iter(lines[number - 1 :]), strict=True)
    return next(reader), reader.line_num


def check_table(fates: Fates, content: bytes) -> None:
    """Every line of the table belongs to one row with one fate, or is empty."""
    text = content.decode("utf-8-sig", "surrogateescape")
    lines, number, seen, filtered = list(io.StringIO(text, newline="")), 2, set(), 0
    while number <= len(lines):
        reason, payload = fates.rejected.get(number, ("", ""))
        said = lines[number - 1].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        if reason == "malformed_row" and payload == said.replace("\0", "\\x00").rstrip("\r\n"):
            seen.add(number)  # it spoils no other line, whatever quote it has opened
            number += 1
            continue
        cells, length = cells_at(lines, number)
        fields = dict(zip(HEADER, cells, strict=True)) if cells else {}
        if reason:
            assert payload == json.dumps(fields) or reason == "conflict"
            seen.add(number)
        elif number in fates.accepted:
            check_cells(fates.accepted[number], fields)
            seen.add(number)
        elif fields:
            filtered += fields["kind"] == "TEST"
            assert fields["kind"] == "TEST" or ("acme", "/table", fields["id"]) in fates.by_key
        number += length
    assert seen == fates.rejected.keys() | fates.accepted.keys()
    report = fates.report
    assert report.read == report.inserted + report.duplicate + report.rejected + report.filtered
    assert (len(fates.accepted), len(fates.rejected), filtered) == (report.inserted, report.rejected, report.filtered)


def check_cells(stored: dict, fields: dict[str, str]) -> None:
    """The stored row says what the cells say; an empty or blank one says nothing."""
    said = {name: text if text.strip() else None for name, text in fields.items()}
    assert (stored["event_id"], stored["company_key"], stored["customer"]) == (said["id"], said["who"], said["note"])
    assert stored["occurred_at"] == datetime.strptime(said["at"] + " +0000", "%Y-%m-%d %H:%M:%S %z")
    seconds = said["seconds"]
    is_number = seconds is not None and seconds.lower() != "null"  # which many databases write for no number
    assert stored["duration_seconds"] == (int(Decimal(seconds)) if is_number else None)
    assert stored["quantity"] == amount(said["amount"] or 1)
    assert stored["properties"] == (said["kind"] and json.dumps({"kind": said["kind"]}, ensure_ascii=False))


def fuzz_table(connection, load, write, folder, seed: int, count: int) -> Fates:
    """Load a hostile table through its mapping, and check the fate of each row."""
    content = hostile_table(seed, count)
    fates = Fates(connection, load(write("x.csv", content), hold=NEVER_HELD, mapping=MAPPING))
    assert fates.report.status == "published"
    check_table(fates, content)
    accepted = {row["event_id"] for row in fates.accepted.values()}
    missing = {f"r-{number}" for number in range(0, count, 10)} - accepted
    # Two stray quotes may make one cell of all the rows between them, and nobody can tell that it was not meant so.
    cells = " ".join(str((row["customer"], row["properties"])) for row in fates.accepted.values())
    kept = cells + " ".join(payload for _, payload in fates.rejected.values())
    assert len(missing) <= count // 1000
    assert all(f"{event_id}," in kept for event_id in missing)
    check_archive(connection, folder)
    return fates


def test_each_row_of_a_hostile_table_has_one_fate(known, load, write, tmp_path):
    fates = fuzz_table(known, load, write, tmp_path, seed=4, count=500)
    assert fates.report.filtered > 0
    assert {reason for reason, _ in fates.rejected.values()} >= {"malformed_row", "invalid_field", "unknown_company"}


@pytest.mark.long
def test_each_of_ten_thousand_hostile_rows_has_one_fate(known, load, write, tmp_path):
    fuzz_table(known, load, write, tmp_path, seed=13, count=10_000)
