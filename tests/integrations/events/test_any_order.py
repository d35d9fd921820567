"""In whatever order, files and repetitions events arrive, the same is left behind."""

import gzip
import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.events.loader import load_events
from integrations.events.normalise import event_key
from tests.feeds import event, lines
from tests.integrations.events.left_behind import (
    RECEIVED_AT,
    counts_that_do_not_add_up,
    know_companies,
    left_behind,
    without,
)

FIXTURES = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW, MANY = settings(FIXTURES, max_examples=15), settings(FIXTURES, max_examples=150)
WRITERS = {
    "x.ndjson": lambda rows: lines(*rows).encode(),
    "x.ndjson.gz": lambda rows: gzip.compress(lines(*rows).encode(), mtime=0),
    "x.json": lambda rows: json.dumps(rows).encode(),
}


@st.composite
def events(draw, versions: int) -> dict:
    """One of ten events of one of two companies, in one of so many versions; some are voids, of themselves even."""
    number, version = draw(st.integers(0, 9)), draw(st.integers(1, versions))
    time = f"2026-10-{(number + version) % 5 + 1:02}T09:00:00Z"
    key = "york" if number % 3 == 0 else "acme"
    if number % 4 == 0:
        return event(f"e-{number}", time, key, type="void", voids=f"e-{(number * 3 + version * 6) % 14}")
    return event(f"e-{number}", time, key, duration_seconds=version)


def split(draw, rows: list[dict]) -> list[tuple[str, list[dict]]]:
    """Files of these rows, in this order; some are there twice, under another name."""
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    parts = [rows[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    files = [(draw(st.sampled_from(sorted(WRITERS))), part) for part in parts]
    return files + draw(st.lists(st.sampled_from(files), max_size=2))


@st.composite
def two_deliveries(draw, versions: int) -> tuple[list, list]:
    """Files of events, and others with the same events in another order, split and repeated elsewhere."""
    rows = draw(st.lists(events(versions), min_size=1, max_size=25))
    again = draw(st.permutations(rows + draw(st.lists(st.sampled_from(rows), max_size=5))))
    return split(draw, rows), split(draw, again)


@pytest.fixture
def delivered(connection, reused, tmp_path):
    """Load files, one after the other, into an empty database; what they leave behind."""

    def deliver(files) -> dict[str, list[dict]]:
        reused.empty()
        know_companies(connection, tmp_path)
        for number, (name, rows) in enumerate(files):
            path = tmp_path / f"{number}-{name}"
            path.write_bytes(WRITERS[name](rows))
            assert load_events(connection, path, RECEIVED_AT).status == "published"
        assert counts_that_do_not_add_up(connection) == []
        return left_behind(connection)

    return deliver


def key_of(row: dict) -> tuple[str, str]:
    return row["subject"], row["id"]


def first_versions(rows: list[dict]) -> dict[tuple[str, str], dict]:
    """The version of each event that was delivered first."""
    first: dict[tuple[str, str], dict] = {}
    for row in rows:
        first.setdefault(key_of(row), row)
    return first


def expected_voids(accepted: dict[tuple[str, str], dict]) -> list[dict]:
    """What the accepted voids take back, with the date of each target that is there."""
    return [
        {
            "company": company,
            "event_id": row["data"]["voids"],
            "voided_by": uuid(row["id"]),
            "usage_date": accepted[target]["time"][:10] if target in accepted else None,
        }
        for (company, _), row in accepted.items()
        if row["type"] == "void"
        for target in [(company, row["data"]["voids"])]
    ]


def uuid(event_id: str) -> str:
    digits = event_key("/phone", event_id)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def shown(rows: list[dict]) -> list[tuple]:
    return sorted(
        (row["subject"], row["id"], row["type"], row["time"][:10], row["data"].get("duration_seconds")) for row in rows
    )


def shown_as_stored(rows: list[dict]) -> list[tuple]:
    return sorted(
        (row["company"], e["event_id"], e["event_type"], e["usage_date"], e["duration_seconds"])
        for row in rows
        for e in [row["event"]]
    )


def check_against_model(left: dict[str, list[dict]], files) -> None:
    """Compare with what a dictionary makes of the same rows."""
    rows = [row for _, content in files for row in content]
    accepted = first_versions(rows)
    assert shown_as_stored(left["usage_events"]) == shown(list(accepted.values()))
    keys = [(row["company"], row["event_key"], row["usage_date"]) for row in left["event_keys"]]
    assert sorted(keys) == sorted((c, uuid(i), row["time"][:10]) for (c, i), row in accepted.items())
    assert without(left["voids"], "file", "event_key", "source") == without(expected_voids(accepted))
    conflicts = [row for row in rows if row != accepted[key_of(row)]]
    assert Counter(row["reason"] for row in left["rejected_events"]) == Counter(["conflict"] * len(conflicts))
    quarantined = [json.loads(row["payload"]) for row in left["rejected_events"]]
    assert Counter((p["event_id"], p["usage_date"]) for p in quarantined) == Counter(
        (row["id"], row["time"][:10]) for row in conflicts
    )
    dates = {row["time"][:10] for row in accepted.values()}
    assert {row["usage_date"] for row in left["usage_date_state"]} == dates


def without_order(left: dict[str, list[dict]]) -> list[list[dict]]:
    """What must not depend on the order in which files came, nor on how often."""
    columns = {"usage_events": ["file"], "event_keys": ["file", "line"], "voids": ["file"]}
    columns["usage_date_state"] = ["dirty_version"]
    return [without(left[table], *dropped) for table, dropped in columns.items()]


def contents(left: dict[str, list[dict]]) -> set[tuple]:
    """What was accepted or quarantined, each content once."""
    quarantined = [json.loads(row["payload"]) for row in left["rejected_events"]]
    both = [row["event"] for row in left["usage_events"]] + quarantined
    return {
        (e["event_id"], e["event_type"], e["usage_date"], e["duration_seconds"], repr(e["properties"])) for e in both
    }


def check_without_conflicts(delivered, limit) -> None:
    @limit
    @given(two_deliveries(versions=1))
    def check(deliveries):
        first, second = map(delivered, deliveries)
        check_against_model(first, deliveries[0])
        assert without_order(first) == without_order(second)
        assert first["rejected_events"] == second["rejected_events"] == []

    check()


def check_with_conflicts(delivered, limit) -> None:
    @limit
    @given(two_deliveries(versions=3))
    def check(deliveries):
        both = [delivered(files) for files in deliveries]
        for left, files in zip(both, deliveries, strict=True):
            check_against_model(left, files)
        assert contents(both[0]) == contents(both[1])

    check()


def test_without_conflicts_the_same_is_left_in_any_order_and_however_often(delivered):
    check_without_conflicts(delivered, FEW)


def test_of_several_versions_one_is_accepted_and_all_are_kept_in_any_order(delivered):
    check_with_conflicts(delivered, FEW)


@pytest.mark.long
@pytest.mark.parametrize("check", [check_without_conflicts, check_with_conflicts])
def test_any_order_of_several_hundred_deliveries(delivered, check):
    check(delivered, MANY)
