"""What a tracker does when the disk fails, a process ends in whatever way, or forks."""

import logging
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from time import sleep

import pytest

from integrations.events.landing import landing_files
from integrations.events.tracker import Tracker
from tests.integrations.events.tracking import eventually, ids
from tests.integrations.postgres.processes import at_the_same_time

ROOT = Path(__file__).parents[3]
NINE = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)
BEGIN = """
import glob, os, signal, sys, threading, time
from integrations.events import whole_files
from integrations.events.tracker import Tracker
tracker = Tracker(sys.argv[1], "/phone", flush_seconds=3600)
"""


@pytest.fixture
def landing(tmp_path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    return folder


@pytest.fixture
def application(landing):
    """Run an application that has a `tracker`."""

    def run(code: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", BEGIN + code, str(landing)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)

    return run


@contextmanager
def without(folder: Path) -> Iterator[None]:
    """Take a folder away for a while."""
    away = folder.rename(folder.with_name("away"))
    yield
    away.rename(folder)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write no more than so many bytes into a file, as a disk does that is almost full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_flush_that_fails_says_so_and_a_later_one_writes_everything(landing):
    with Tracker(landing, "/phone", flush_seconds=3600) as tracker:
        tracker.track("call", "acme", id="1")
        with without(landing):
            with pytest.raises(FileNotFoundError, match=r"landing does not exist\. Create or mount it"):
                tracker.flush()
            assert not landing.exists()
        tracker.track("call", "acme", id="2")
        tracker.flush()
        assert ids(landing) == ["1", "2"]


def test_a_disk_that_fills_up_within_a_file_leaves_nothing_of_it(landing):
    with Tracker(landing, "/phone", flush_seconds=3600) as tracker:
        given_ids = [tracker.track("call", "acme") for _ in range(50)]
        with largest_file(1_000), pytest.raises(OSError, match="File too large"):
            tracker.flush()
        assert [path for path in landing.rglob("*") if path.is_file()] == []
        tracker.flush()
        assert ids(landing) == given_ids


def test_a_disk_that_fails_in_the_background_is_logged_and_tried_again(landing, caplog):
    with Tracker(landing, "/phone", flush_seconds=0.02) as tracker:
        with without(landing):
            tracker.track("call", "acme", id="1")
            assert eventually(lambda: len(caplog.records) > 1)
            tracker.track("call", "acme", id="2")
        assert eventually(lambda: ids(landing) == ["1", "2"])
    assert "phone: 1 events wait, 0 were dropped: The landing folder" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_a_failure_is_followed_by_a_pause_however_many_events_wait(landing, caplog):
    with Tracker(landing, "/phone", flush_at=1, flush_seconds=3600) as tracker:
        with without(landing):
            tracker.track("call", "acme")
            assert eventually(lambda: len(caplog.records) > 0)
            tracker.track("call", "acme")
            sleep(0.1)
        assert len(caplog.records) == 1


def test_a_clock_that_fails_in_the_background_does_not_end_it(landing, caplog):
    times = iter([])
    with Tracker(landing, "/phone", flush_seconds=0.02, clock=lambda: next(times)) as tracker:
        tracker.track("call", "acme", id="1", time=NINE)
        assert eventually(lambda: len(caplog.records) > 0)
        times = iter([NINE])
        assert eventually(lambda: ids(landing) == ["1"])


def test_an_application_that_can_start_no_thread_goes_on_and_flushes_by_hand(landing, caplog, monkeypatch):
    def fail(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", fail)
    with Tracker(landing, "/phone") as tracker:
        tracker.track("call", "acme", id="1")
        tracker.flush()
        assert ids(landing) == ["1"]
    assert "phone: events wait for a flush by hand or at exit: can't start new thread" in caplog.text


def test_memory_is_bounded_and_what_is_lost_is_counted_and_logged(landing, caplog):
    tracker = Tracker(landing, "/phone", flush_seconds=3600, flush_at=10, most_buffered=10)
    with without(landing):
        for number in range(15):
            tracker.track("call", "acme", id=str(number))
        assert tracker.dropped == 5
    tracker.flush()
    tracker.track("call", "acme", id="later")
    tracker.close()
    assert ids(landing) == [*(str(number) for number in range(10)), "later"]
    said = [record.getMessage() for record in caplog.records]
    assert [sentence for sentence in said if "landing folder" not in sentence] == [
        "phone: 10 events wait to be written; more are dropped.",
        "phone: 5 events were dropped in all.",
    ]


def test_the_end_of_the_process_writes_the_rest(landing, application):
    assert application("tracker.track('call', 'acme', id='1')").returncode == 0
    assert ids(landing) == ["1"]


def test_an_application_that_fails_is_no_exception(landing, application):
    assert "ZeroDivisionError" in application("tracker.track('call', 'acme', id='1'); 1 / 0").stderr
    assert ids(landing) == ["1"]


def test_what_is_lost_at_the_end_is_said(landing, application):
    ended = application("tracker.track('call', 'acme'); os.rmdir(sys.argv[1])")
    assert ended.returncode == 0
    assert "phone: 1 events are lost, as the process ends: The landing folder" in ended.stderr


def test_what_was_dropped_is_said_once_when_a_tracker_was_closed_before(landing, application):
    ended = application("""
tracker = Tracker(sys.argv[1], "/phone", flush_seconds=3600, flush_at=1, most_buffered=1)
os.rename(sys.argv[1], sys.argv[1] + "-away")
for _ in range(3):
    tracker.track("call", "acme")
os.rename(sys.argv[1] + "-away", sys.argv[1])
tracker.close()
""")
    assert ended.stderr.count("2 events were dropped in all") == 1


def test_what_was_flushed_outlives_a_kill(landing, application):
    killed = application("""
for number in range(10):
    tracker.track("call", "acme", id=str(number))
tracker.flush()
tracker.track("call", "acme", id="buffered")
os.kill(os.getpid(), signal.SIGKILL)
""")
    assert killed.returncode == -signal.SIGKILL
    assert ids(landing) == [str(number) for number in range(10)]


def test_a_file_that_was_being_written_at_a_kill_is_never_seen(landing, application):
    killed = application("""
whole_files.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
tracker.track("call", "acme")
tracker.flush()
""")
    assert killed.returncode == -signal.SIGKILL
    assert [path.name[0] for path in landing.rglob("*") if path.is_file()] == ["."]
    assert landing_files(landing) == []


def test_a_child_writes_its_own_events_and_neither_repeats_nor_awaits_its_parent(landing, application):
    ended = application("""
parent, sync, is_writing, child_has_ended = os.getpid(), os.fsync, threading.Event(), threading.Event()
def slow(file):
    if os.getpid() == parent:
        is_writing.set()
        child_has_ended.wait()
    sync(file)
whole_files.os.fsync = slow
tracker.track("call", "acme", id="written at the fork")
threading.Thread(target=tracker.flush).start()
is_writing.wait()
tracker.track("call", "acme", id="buffered at the fork")
if child := os.fork():
    print(os.waitpid(child, 0)[1])
    child_has_ended.set()
else:
    tracker.track("call", "acme", id="by the child")
    tracker.flush()
    tracker.track("call", "acme", id="by the child as it ends")
""")
    assert ended.stdout == "0\n", ended.stderr
    assert sorted(ids(landing)) == [
        "buffered at the fork",
        "by the child",
        "by the child as it ends",
        "written at the fork",
    ]


def test_a_child_writes_in_the_background_too(landing, application):
    ended = application("""
tracker.track("call", "acme", id="by the parent")
if child := os.fork():
    os.waitpid(child, 0)
    os._exit(0)
for number in range(100):
    tracker.track("call", "acme", id=str(number))
end = time.monotonic() + 10
while not glob.glob(sys.argv[1] + "/events/*/*/*.ndjson") and time.monotonic() < end:
    time.sleep(0.01)
os._exit(0)
""")
    assert ended.returncode == 0, ended.stderr
    assert ids(landing) == [str(number) for number in range(100)]


def test_forks_in_the_midst_of_tracking_lose_and_repeat_nothing(landing, application):
    ended = application("""
def track(thread):
    for number in range(3_000):
        tracker.track("call", "acme", id=f"{thread}-{number}")
threads = [threading.Thread(target=track, args=[thread]) for thread in range(2)]
for thread in threads:
    thread.start()
children = []
while any(thread.is_alive() for thread in threads) and len(children) < 20:
    if child := os.fork():
        children.append(child)
    else:
        tracker.track("call", "acme", id=f"child {len(children)}")
        tracker.close()
        os._exit(0)
for child in children:
    os.waitpid(child, 0)
print(len(children))
""")
    children = [f"child {number}" for number in range(int(ended.stdout))]
    assert len(children) > 1
    assert sorted(ids(landing)) == sorted([*children, *(f"{t}-{number}" for t in range(2) for number in range(3_000))])


def test_processes_share_a_folder_and_each_event_lands_once(landing):
    def produce(process: int) -> None:
        with Tracker(landing, "/phone", flush_at=10, clock=lambda: NINE) as tracker:
            for number in range(300):
                tracker.track("call", "acme", id=f"{process}-{number}")

    at_the_same_time(*(lambda process=process: produce(process) for process in range(4)))
    assert sorted(ids(landing)) == sorted(f"{process}-{number}" for process in range(4) for number in range(300))
