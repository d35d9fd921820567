"""What a load made of each line of a file, compared with what the standard library reads in the line."""

import json
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from zoneinfo import ZoneInfo

from integrations.events.archive import Archive
from integrations.events.holding import HoldRule
from integrations.postgres.usage_partitions import partition_dates
from tests.integrations.events.conftest import NOW

NEVER_HELD = HoldRule(hold_above=1)
ZONES = {"acme": ZoneInfo("Europe/Berlin"), "york": ZoneInfo("America/New_York")}
CURRENCIES = {"acme": "EUR", "york": "USD"}
TEXTS = ("customer", "outcome", "service", "channel")
CONTRACT = {*TEXTS, "branch", "quantity", "duration_seconds", "revenue", "currency", "properties"}
WIDE = Context(prec=100, rounding=ROUND_HALF_UP)
REASONS = {
    *("malformed_json", "malformed_row", "missing_field", "invalid_field", "naive_time", "line_too_long", "conflict"),
    *("unknown_company", "unknown_branch", "negative_duration", "negative_revenue", "currency_mismatch", "in_future"),
    *("too_old",),
}
ROWS = """
    select company_id, raw.event_key(source, event_id), company_key, occurred_at, usage_date, local_minute, source,
        event_id, event_type, branch_key, customer, quantity, duration_seconds, outcome, service, channel, revenue,
        currency, properties::text
    from raw.usage_events inner join raw.company_ids using (company_id)
    left join raw.branch_ids using (company_id, branch_id)
    where load_id = %s
"""


class Float(str):
    """A number with a fraction or an exponent as it is written; free properties keep it as a binary float."""


def decoded(line: bytes) -> dict:
    """The object that a line says, as the standard library reads it, with exact numbers."""
    return json.loads(line.decode("utf-8", "replace"), parse_int=Decimal, parse_float=Float)


def amount(said) -> Decimal:
    return WIDE.quantize(Decimal(said), Decimal("0.000001"))


def expected_row(line: bytes) -> dict:
    """What must be stored of an accepted line, from the standard library alone."""
    event = decoded(line)
    data, subject = event["data"], event["subject"]
    time = datetime.fromisoformat(event["time"].upper())
    free = {name: value for name, value in data.items() if name not in CONTRACT}
    properties = {**(data.get("properties") or {}), **free}
    if event["type"] == "void":
        target = {"id": properties["voids"]} if isinstance(properties["voids"], str) else properties["voids"]
        properties["voids"] = {"id": target["id"], "source": target.get("source") or event["source"]}
    revenue = data.get("revenue")
    return {
        **{name: data.get(name) for name in TEXTS},
        "branch_key": data.get("branch"),
        "company_key": subject,
        "occurred_at": time.astimezone(UTC),
        "source": event["source"],
        "event_id": event["id"],
        "event_type": event["type"],
        "quantity": amount(data.get("quantity", 1)),
        "duration_seconds": None if data.get("duration_seconds") is None else int(data["duration_seconds"]),
        "revenue": None if revenue is None else amount(revenue),
        "currency": None if revenue is None else CURRENCIES[subject],
        "properties": properties or None,
    }


def is_same(said, stored) -> bool:
    """Compare free properties: whole numbers exactly, others as the binary floats that JSON readers make of them."""
    if isinstance(said, dict) and isinstance(stored, dict):
        return said.keys() == stored.keys() and all(is_same(said[name], stored[name]) for name in said)
    if isinstance(said, list) and isinstance(stored, list):
        return len(said) == len(stored) and all(map(is_same, said, stored))
    if isinstance(said, Float):
        return isinstance(stored, Decimal) and float(said) == float(stored)
    return type(said) is type(stored) and said == stored


def check_row(stored: dict, line: bytes) -> None:
    """The stored row says what the line says."""
    expected, stored = expected_row(line), dict(stored)
    properties = stored.pop("properties")
    read = None if properties is None else json.loads(properties, parse_int=Decimal, parse_float=Decimal)
    assert is_same(expected.pop("properties"), read), line[:500]
    time = stored["occurred_at"]
    local = time.astimezone(ZONES[stored["company_key"]])
    assert (stored.pop("usage_date"), stored.pop("local_minute")) == (local.date(), local.hour * 60 + local.minute)
    assert abs(stored.pop("occurred_at") - expected.pop("occurred_at")) <= timedelta(microseconds=1)
    assert stored == expected, line[:500]


class Fates:
    """What a load made of each line, row or element, by its number."""

    def __init__(self, connection, report) -> None:
        keys = "select company_id, event_key, line from raw.event_keys where load_id = %s"
        lines = {(company, key): line for company, key, line in connection.execute(keys, [report.load_id])}
        cursor = connection.execute(ROWS, [report.load_id])
        names = [column.name for column in cursor.description][2:]
        self.accepted = {lines[row[:2]]: dict(zip(names, row[2:], strict=True)) for row in cursor}
        self.rejected = {
            line: (reason, payload)
            for line, reason, payload in connection.execute(
                "select line, reason, payload from raw.rejected_events where load_id = %s", [report.load_id]
            )
        }
        self.by_key = {(r["company_key"], r["source"], r["event_id"]): r for r in self.accepted.values()}
        self.report = report

    def check(self, lines: dict[int, bytes]) -> None:
        """Each line has one fate, and it is the right one."""
        report = self.report
        assert report.status == "published"
        assert report.read == report.inserted + report.duplicate + report.rejected + report.filtered == len(lines)
        assert not self.accepted.keys() & self.rejected.keys()
        assert self.accepted.keys() | self.rejected.keys() <= lines.keys()
        assert (len(self.accepted), len(self.rejected)) == (report.inserted, report.rejected)
        assert {reason for reason, _ in self.rejected.values()} <= REASONS
        duplicates = lines.keys() - self.accepted.keys() - self.rejected.keys()
        assert len(duplicates) == report.duplicate
        for number, row in self.accepted.items():
            check_row(row, lines[number])
        for number in duplicates:
            event = decoded(lines[number])
            check_row(self.by_key[event["subject"], event["source"], event["id"]], lines[number])

    def check_payloads(self, lines: dict[int, bytes]) -> None:
        """The quarantine shows of a line what it said, under its own number."""
        for number, (reason, payload) in self.rejected.items():
            said = lines[number].decode("utf-8", "backslashreplace").replace("\0", "\\x00").rstrip("\r\n")
            if reason == "line_too_long":
                assert said.startswith(payload[: 1 << 20])
            elif reason != "conflict":
                assert payload == said


def check_archive(connection, folder) -> None:
    """What was stored leaves for the archive and comes back as it was."""
    rows = "select e::text from raw.usage_events as e order by 1"
    before, dates = connection.execute(rows).fetchall(), partition_dates(connection)
    archive = Archive((folder / "archive").as_uri())
    for day in dates:
        archive.archive(connection, day, NOW)
    assert connection.execute(rows).fetchall() == []
    archive.restore(connection, dates, NOW)
    assert connection.execute(rows).fetchall() == before
