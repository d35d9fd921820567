"""A loader that is killed at any moment, again and again, leaves what one leaves that nobody disturbs."""

import gzip
import os
import random
import signal
import time
from collections import Counter
from itertools import count
from pathlib import Path

import psycopg
import pytest

from integrations.events import ledger, loader, parsing, publish, readers
from integrations.events.loader import load_events
from integrations.events.mapping import SourceMapping
from tests.feeds import event, lines
from tests.integrations.events.left_behind import (
    RECEIVED_AT,
    counts_that_do_not_add_up,
    know_companies,
    left_behind,
)
from tests.integrations.postgres.processes import FORK, start

STAGES = ("between files", "reading", "publishing", "closing", "done")
AIMS = ("reading", "publishing", "reading", "closing", "reading", "publishing", "reading")
NEVER = ("done", 0)
MAPPING = SourceMapping.model_validate(
    {
        "time_zone": "Europe/Berlin",
        "time": {"columns": ["at"], "format": "%Y-%m-%d %H:%M"},
        "event": {"id": "{no}", "source": "/phone", "type": "call", "subject": "acme"},
        "filters": [{"name": "test calls", "column": "kind", "equals": ["TEST"]}],
    }
)


def call(number: int, **data):
    """One of a few thousand calls; of every thousandth there is another version in each file."""
    return event(f"c-{number}", f"2026-10-{number % 9 + 1:02}T09:00:00Z", "york" if number % 3 else "acme", **data)


def void(number: int, target: int):
    key = "york" if target % 3 else "acme"
    return event(f"v-{number}", f"2026-11-{number % 5 + 1:02}T09:00:00Z", key, type="void", voids=f"c-{target}")


def calls(first: int, last: int, conflicts_at: int) -> list:
    """Calls, of which some say another thing than in other files, and some stand there twice."""
    numbers = [*range(first, last), *range(first, last, 7)]
    return [call(number, duration_seconds=conflicts_at if number % 10 == 9 else 60) for number in numbers]


def make_files(folder: Path, size: int) -> list[Path]:
    """Files with all that can befall a line; the second one is long enough for the processes that parse."""
    bad = "not json\n" + lines(event("b", "2026-10-05T09:00:00Z", "nobody")) + "\n"
    table = "".join(f"c-{n},2026-10-0{n % 9 + 1} 11:00,{'TEST' if n % 5 == 0 else 'call'}\n" for n in range(size // 10))
    texts = {
        "1-early-voids.ndjson": lines(*(void(n, n * 2) for n in range(size // 20))),
        "2-long.ndjson": lines(*calls(0, size, 1)) + bad,
        "3-overlapping.ndjson.gz": lines(*calls(size // 2, size + size // 4, 2)) + bad,
        "4-late-voids.ndjson": lines(*(void(n + size, n * 3) for n in range(size // 20)), void(size, 10**9)),
        "5-held.ndjson": lines(*calls(size * 2, size * 2 + 20, 3)) + bad * 10,
        "6-mapped.csv": f"no,at,kind\n{table}broken\n",
        "7-copy-of-the-long.ndjson": lines(*calls(0, size, 1)) + bad,
        "8-array.json": "[" + ",".join(lines(row) for row in calls(size, size + size // 4, 4)) + "]",
        "9-utf-16.ndjson": "\ufeff",
    }
    paths = []
    for name, text in texts.items():
        content = text.encode("utf-16-le" if "utf-16" in name else "utf-8")
        path = folder / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        paths.append(path)
    return paths


def load_all(url: str, paths: list[Path], stage) -> None:
    """Load files one after the other, and say in `stage` how far it is."""

    def announced(name, call, after=None):
        def run(*arguments):
            stage.value = STAGES.index(name)
            result = call(*arguments)
            stage.value = STAGES.index(after or name)
            return result

        return run

    readers.BLOCK_SIZE = paths[1].stat().st_size // 8
    parsing.usable_processes = lambda: 2
    loader.PART = 100
    publish.Publication.add = announced("publishing", publish.Publication.add, "reading")
    loader.close_load = announced("closing", ledger.close_load)
    with psycopg.connect(url, autocommit=True) as connection:
        for path in paths:
            stage.value = STAGES.index("reading")
            load_events(connection, path, RECEIVED_AT, MAPPING if path.suffix == ".csv" else None)
            stage.value = STAGES.index("between files")
    stage.value = STAGES.index("done")


def moment(number: int, chance: random.Random, duration: float) -> tuple[str, float]:
    """When the kill of this number comes: anywhere, soon rather than late; or shortly after a late stage has begun."""
    match AIMS[number % len(AIMS)]:
        case "publishing":
            return "publishing", chance.random() ** 2 * duration / 20
        case "closing":
            return "closing", chance.uniform(0, 0.002)
        case begun:
            return begun, chance.expovariate(4 / duration)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def killed_after(url: str, paths: list[Path], begun: str, delay: float, orphans: set[int]) -> str:
    """Start a loader and kill it so many seconds after a stage has begun; the stage in which it died, or "done".

    Its child processes that live are added to `orphans`.
    """
    stage = FORK.RawValue("i", -1)  # without a lock, which a loader that dies while it writes would never give back
    process = start(load_all, url, paths, stage)
    while stage.value < STAGES.index(begun) and process.exitcode is None:
        time.sleep(0.0005)
    process.join(delay)
    if process.exitcode is None:
        os.kill(process.pid, signal.SIGSTOP)  # so that it stays where it is while we look
        found = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        if STAGES[stage.value] != "done":
            orphans.update(found)
            return STAGES[stage.value]
    assert STAGES[stage.value] == "done", f"the loader failed by itself while {STAGES[stage.value]}"
    return "done"


def still_living(orphans: set[int], seconds: float) -> set[int]:
    """Those that still live after so many seconds."""
    end = time.monotonic() + seconds
    while (living := {pid for pid in orphans if is_alive(pid)}) and time.monotonic() < end:
        time.sleep(0.01)
    return living


def is_alive(pid: int) -> bool:
    """Tell whether a parser of ours has this pid, and is no zombie that waits for its parent's parent."""
    try:
        is_parser = b"parser_pool" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return is_parser and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_again_and_again(database_url, reused, folder, size: int, kills: int, seed: int) -> tuple[Counter, int]:
    """Kill so many loaders, comparing whenever one has loaded all; where they died, how many parsers they left."""
    chance, stages, orphans = random.Random(seed), Counter(), set()
    paths, complete, parsers = make_files(folder, size), 0, 0
    with psycopg.connect(database_url, autocommit=True) as connection:
        know_companies(connection, folder)
        begun = time.monotonic()
        assert killed_after(database_url, paths, *NEVER, orphans) == "done"
        duration = time.monotonic() - begun
        expected = left_behind(connection)
        assert_that_nothing_is_missing(connection, expected)
        while stages.total() < kills:
            reused.empty()
            know_companies(connection, folder)
            for number in count(stages.total()):
                when = moment(number, chance, duration) if stages.total() < kills else NEVER
                if (stage := killed_after(database_url, paths, *when, orphans)) == "done":
                    break
                stages[stage] += 1
            assert left_behind(connection) == expected
            assert counts_that_do_not_add_up(connection) == []
            assert still_living(orphans, 5) == set()
            parsers += len(orphans)
            orphans.clear()
            complete += 1
    print(f"\n{dict(stages)}; {complete} times complete; {parsers} parsers orphaned; {duration:.1f} s undisturbed")
    return stages, parsers


def assert_that_nothing_is_missing(connection, expected) -> None:
    """All kinds of fates occur, or the test would prove less than it says."""
    assert all(expected.values())
    assert {row["load"]["status"] for row in expected["loads"]} == {"published", "held", "failed"}
    assert {row["reason"] for row in expected["rejected_events"]} >= {"conflict", "malformed_json", "unknown_company"}
    assert sum(row["load"]["count_duplicate"] > 0 for row in expected["loads"]) >= 4
    assert any(row["load"]["count_filtered"] for row in expected["loads"])
    assert {row["usage_date"] is None for row in expected["voids"]} == {True, False}


def test_a_loader_that_is_killed_five_times_leaves_what_an_undisturbed_one_leaves(database_url, reused, tmp_path):
    stages, _ = kill_again_and_again(database_url, reused, tmp_path, size=400, kills=5, seed=1)
    assert stages.total() == 5


@pytest.mark.long
def test_a_loader_that_is_killed_a_hundred_times_leaves_what_an_undisturbed_one_leaves(database_url, reused, tmp_path):
    stages, parsers = kill_again_and_again(database_url, reused, tmp_path, size=8_000, kills=120, seed=2)
    assert stages.total() == 120
    assert stages["publishing"] >= 10
    assert stages["reading"] >= 10
    assert parsers >= 5
