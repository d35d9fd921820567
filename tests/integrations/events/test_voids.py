"""An event that takes back another one: whichever arrives first, and only once."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.events.holding import release_load
from integrations.events.mapping import SourceMapping
from tests.feeds import event

CALL = event("c-1", "2026-10-05T09:00:00+02:00")
OTHER = event("c-2", "2026-10-06T09:00:00+02:00")


def void(id: str, voids, **fields):
    row = event(id, "2026-10-09T08:00:00+02:00", type="void", voids=voids)
    return {**row, **fields}


@pytest.fixture
def voided(known):
    """What is taken back: (source, id, usage date or None while it waits)."""
    query = "select distinct source, event_id, usage_date::text from raw.voids order by source, event_id"
    return lambda: known.execute(query).fetchall()


@pytest.fixture
def dirty(known):
    """The usage dates that must be built anew; asking for them builds them."""

    def ask():
        rows = known.execute(
            "update ops.usage_date_state set built_version = dirty_version where built_version < dirty_version"
            " returning usage_date::text"
        ).fetchall()
        return {day for (day,) in rows}

    return ask


def test_a_void_meets_an_event_that_was_loaded_before(load, write, voided, dirty):
    load(write("a.ndjson", CALL, OTHER))
    dirty()
    report = load(write("b.ndjson", void("v-1", {"id": "c-1"})))
    assert (report.inserted, report.duplicate, report.rejected) == (1, 0, 0)
    assert voided() == [("/phone", "c-1", "2026-10-05")]
    assert dirty() == {"2026-10-05", "2026-10-09"}


def test_a_void_that_arrives_first_waits(load, write, voided, dirty):
    load(write("b.ndjson", void("v-1", {"id": "c-1"})))
    assert voided() == [("/phone", "c-1", None)]
    dirty()
    report = load(write("a.ndjson", CALL))
    assert report.inserted == 1
    assert voided() == [("/phone", "c-1", "2026-10-05")]
    assert report.usage_dates == ["2026-10-05"]


@pytest.mark.parametrize("lines", [(CALL, void("v-1", {"id": "c-1"})), (void("v-1", {"id": "c-1"}), CALL)])
def test_a_void_may_stand_in_the_same_file_before_or_after_its_event(load, write, voided, lines):
    load(write("a.ndjson", *lines))
    assert voided() == [("/phone", "c-1", "2026-10-05")]


def test_a_voided_event_that_is_sent_again_is_a_duplicate(load, write, stored, voided):
    load(write("a.ndjson", CALL, void("v-1", {"id": "c-1"})))
    report = load(write("again.ndjson", CALL))
    assert (report.inserted, report.duplicate) == (0, 1)
    assert voided() == [("/phone", "c-1", "2026-10-05")]


def test_two_voids_of_one_event_take_it_back_once(load, write, voided):
    load(write("a.ndjson", CALL, void("v-1", {"id": "c-1"})))
    report = load(write("b.ndjson", void("v-2", {"id": "c-1"})))
    assert report.inserted == 1
    assert voided() == [("/phone", "c-1", "2026-10-05")]


def test_an_event_of_another_source_or_company_is_not_meant(load, write, voided):
    load(write("a.ndjson", CALL, event("c-1", "2026-10-05T09:00:00Z", "york")))
    load(write("b.ndjson", void("v-1", {"id": "c-1", "source": "/desk"}), void("v-2", {"id": "c-9"})))
    assert voided() == [("/desk", "c-1", None), ("/phone", "c-9", None)]


@pytest.mark.parametrize("voids", [{"id": "c-1", "source": "/phone"}, "c-1"])
def test_saying_the_source_or_leaving_it_out_says_the_same(load, write, voids):
    load(write("a.ndjson", void("v-1", {"id": "c-1"})))
    report = load(write("b.ndjson", void("v-1", voids)))
    assert (report.duplicate, report.rejected) == (1, 0)


@pytest.mark.parametrize(
    ("voids", "reason"),
    [
        (None, "missing_field"),
        ({}, "invalid_field"),
        ("", "invalid_field"),
        (7, "invalid_field"),
        ({"id": ""}, "invalid_field"),
        ({"id": 7}, "invalid_field"),
        ({"id": "c-1", "who": "me"}, "invalid_field"),
    ],
)
def test_a_void_that_names_no_event_is_refused(load, write, rejected, voids, reason):
    row = void("v-1", voids)
    if voids is None:
        del row["data"]["voids"]
    load(write("a.ndjson", row))
    assert [(line, why, field) for _, line, why, field in rejected()] == [(1, reason, "data.voids")]


def test_an_event_that_waits_in_a_held_load_is_met_at_its_release(load, write, voided):
    bad = "".join(json.dumps({"id": str(i)}) + "\n" for i in range(20))
    held = load(write("held.ndjson", CALL, bad))
    load(write("b.ndjson", void("v-1", {"id": "c-1"})))
    assert (held.status, voided()) == ("held", [("/phone", "c-1", None)])


def test_the_release_of_a_held_load_meets_its_void(load, write, known, voided):
    bad = "".join(json.dumps({"id": str(i)}) + "\n" for i in range(20))
    held = load(write("held.ndjson", CALL, bad))
    load(write("b.ndjson", void("v-1", {"id": "c-1"})))
    release_load(known, held.load_id)
    assert voided() == [("/phone", "c-1", "2026-10-05")]


def test_a_void_counts_by_the_time_of_its_own(load, write, rejected):
    late = datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(hours=1)
    load(write("a.ndjson", void("v-1", {"id": "c-1"}, time=late.isoformat())))
    assert [(why, field) for *_, why, field in rejected()] == [("in_future", "time")]


def test_a_foreign_table_voids_by_a_free_property(load, write, voided):
    mapping = SourceMapping.model_validate(
        {
            "time_zone": "Europe/Berlin",
            "time": {"columns": ["at"], "format": "%Y-%m-%d %H:%M"},
            "event": {
                "id": "{no}",
                "source": "/phone",
                "type": "{kind}",
                "subject": "acme",
                "data": {"properties": {"voids": "{cancels}"}},
            },
            "values": {"type": {"storno": "void"}},
        }
    )
    load(write("a.csv", "no,kind,at,cancels\n1,call,2026-10-05 09:00,\n2,storno,2026-10-06 09:00,1\n"), mapping=mapping)
    assert voided() == [("/phone", "1", "2026-10-05")]
