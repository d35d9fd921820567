"""The tracker as its application sees it: what it accepts, and when files appear."""

import re
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep

import pytest

from integrations.events.contract import UsageData, UsageEvent
from integrations.events.landing import landing_files
from integrations.events.tracker import Tracker, utc_now
from tests.integrations.events.tracking import eventually, ids, landed

NINE = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)
LONG = 3600.0


@pytest.fixture
def landing(tmp_path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture
def start(landing):
    """Start a tracker that flushes by itself only when a test says so; it is closed when the test ends."""
    trackers = []

    def tracker(source="/phone", **options) -> Tracker:
        trackers.append(Tracker(landing, source, **{"flush_seconds": LONG, "clock": lambda: NINE, **options}))
        return trackers[-1]

    yield tracker
    for tracker in trackers:
        tracker.close()


def test_what_is_tracked_is_what_the_pipeline_reads(landing, start):
    data = {
        "branch": "north",
        "customer": "c-7",
        "quantity": Decimal("2.5"),
        "duration_seconds": 182,
        "outcome": "success",
        "service": "booking",
        "channel": "phone",
        "revenue": Decimal("12.50"),
        "currency": "EUR",
        "properties": {"own": [1, {"a": None}]},
    }
    tracker = start()
    assert tracker.track("call", "acme", id="c-81", time=NINE - timedelta(hours=1), **data) == "c-81"
    tracker.flush()
    expected = UsageEvent("c-81", "/phone", "call", "acme", NINE - timedelta(hours=1), UsageData(**data))
    assert landed(landing) == [expected]


def test_an_event_that_is_tracked_again_counts_once(landing, start, load):
    tracker = start()
    for _ in range(2):
        tracker.track("call", "acme", id="c-81", time=NINE, revenue=Decimal("12.50"), currency="EUR")
        tracker.flush()
    reports = [load(file.path, name=file.name) for file in landing_files(landing)]
    assert [(report.status, report.inserted) for report in reports] == [("published", 1), ("published", 0)]


def test_an_event_needs_no_more_than_a_type_and_a_company(landing, start):
    tracker = start()
    given_ids = [tracker.track("call", "acme"), tracker.track("call", "acme", quantity=3)]
    tracker.flush()
    assert [(event.time, event.data) for event in landed(landing)] == [
        (NINE, UsageData()),
        (NINE, UsageData(quantity=Decimal(3))),
    ]
    assert ids(landing) == given_ids
    assert len(set(given_ids)) == 2


def test_the_default_clock_is_the_time_of_the_machine():
    assert abs(utc_now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert utc_now().tzinfo is UTC


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"type": ""}, "type: expected str of length >= 1"),
        ({"company": None}, "company: expected str, got null"),
        ({"id": 7}, "id: expected str, got int"),
        ({"time": NINE.replace(tzinfo=None)}, "time has no time zone"),
        ({"customer": ""}, "customer: expected str of length >= 1"),
        ({"revenue": 12.5}, "revenue: 12.5 would be read as Decimal('12.5')"),
        ({"revenue": Decimal(-1)}, "revenue is -1"),
        ({"duration_seconds": 1.5}, "duration_seconds: expected int | null, got float"),
        ({"properties": {"a": {1}}}, "properties: {'a': {1}} would be read as {'a': [1]}"),
    ],
)
def test_a_wrong_call_raises_with_the_name_of_the_argument_and_writes_nothing(landing, start, arguments, message):
    tracker = start()
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        tracker.track(**{"type": "call", "company": "acme", **arguments})
    tracker.flush()
    assert landing_files(landing) == []


@pytest.mark.parametrize(
    "options",
    [
        {"source": "///"},
        {"producer": ""},
        {"producer": ".hidden"},
        {"producer": "a/b"},
        {"producer": "a\n"},
        {"producer": "x" * 101},
        {"flush_at": 0},
        {"flush_at": 11, "most_buffered": 10},
        {"flush_seconds": 0},
    ],
)
def test_a_setting_that_could_not_work_is_refused_at_once(start, options):
    with pytest.raises(ValueError, match=r"^(producer|flush_at)"):
        start(**options)


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ({"source": "/phone"}, "phone"),
        ({"source": "https://example.com/a b/"}, "https-example.com-a-b"),
        ({"source": "/phone", "producer": "north_1"}, "north_1"),
        ({"source": "x" * 512}, "x" * 100),
    ],
)
def test_files_lie_by_producer_and_date_and_are_named_by_time(landing, start, options, folder):
    tracker = start(**options)
    tracker.track("call", "acme")
    tracker.flush()
    (file,) = landing_files(landing)
    assert file.feed == "events"
    assert re.fullmatch(rf"{re.escape(folder)}/2026-10-01/093000000000-[0-9a-f]{{32}}\.ndjson", file.name)


def test_a_flush_of_nothing_makes_no_file(landing, start):
    tracker = start()
    tracker.track("call", "acme")
    tracker.flush()
    tracker.flush()
    assert len(landing_files(landing)) == 1


def test_the_hundredth_event_is_followed_by_a_file(landing, start):
    tracker = start()
    for number in range(99):
        tracker.track("call", "acme", id=str(number))
    sleep(0.05)
    assert landed(landing) == []
    tracker.track("call", "acme", id="99")
    assert eventually(lambda: ids(landing) == [str(number) for number in range(100)])


def test_an_event_waits_for_others_no_longer_than_the_interval(landing, start):
    tracker = start(flush_seconds=0.2)
    for id in ("first", "second"):
        begun = monotonic()
        tracker.track("call", "acme", id=id)
        assert eventually(lambda id=id: id in ids(landing))
        assert 0.2 <= monotonic() - begun < 5


def test_closing_writes_the_rest_and_ends_the_thread(landing, start):
    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "tracker closing"]

    with start(producer="closing") as tracker:
        tracker.track("call", "acme", id="1")
        assert len(threads()) == 1
        sleep(0.05)  # so that it waits for more
    assert ids(landing) == ["1"]
    assert eventually(lambda: not threads())
    with pytest.raises(ValueError, match="closed"):
        tracker.track("call", "acme")


def test_threads_share_a_tracker_and_each_event_lands_once(landing, start):
    tracker = start(flush_seconds=0.01)

    def track(thread: int) -> None:
        for number in range(1_000):
            tracker.track("call", "acme", id=f"{thread}-{number}")

    threads = [threading.Thread(target=track, args=[thread]) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tracker.close()
    assert sorted(ids(landing)) == sorted(f"{thread}-{number}" for thread in range(8) for number in range(1_000))


def test_a_reader_sees_only_whole_files_that_never_change(landing, start):
    tracker = start()
    seen: dict[Path, bytes] = {}
    is_done = threading.Event()

    def track() -> None:
        for number in range(1_000):
            tracker.track("call", "acme", id=str(number))
            if number % 20 == 19:
                tracker.flush()
        is_done.set()

    threading.Thread(target=track).start()
    while not is_done.is_set():
        for file in landing_files(landing):
            content = file.path.read_bytes()
            assert content.endswith(b"}\n")
            assert seen.setdefault(file.path, content) == content
    assert len(seen) > 1
    assert sorted(ids(landing), key=int) == [str(number) for number in range(1_000)]
