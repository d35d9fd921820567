"""How much longer a load with all its guarantees takes than a bare COPY of the rows that come out of it."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from statistics import median

import psycopg
from backports import zstd

from integrations.events.feeds import load_feed
from integrations.events.loader import load_events
from integrations.postgres.warehouse import Warehouse
from ml.synthetic import Dirt, write_world
from ml.synthetic.dirt import REASONS
from tests.benchmarks.registry import at_most, benchmark
from tests.benchmarks.workbench import Workbench, seconds

EVENTS, REPETITIONS = 1_000_000, 3
NOW = datetime(2027, 1, 1, tzinfo=UTC)
CLEAN = Dirt(resend=0, late=0, conflicts=0, **dict.fromkeys(REASONS, 0.0))
BLOCK = 1 << 20


@dataclass(frozen=True)
class Seconds:
    """One repetition: the base, a new file, the same bytes under another name, the same events in another order."""

    copy: float
    load: float
    replay: float
    resend: float


@benchmark("ingest.ndjson_vs_copy", "x", at_most(5))
def ndjson_vs_copy(bench: Workbench) -> float:
    """A plain NDJSON file of 1M events into an empty database, over a text COPY of the rows that it becomes."""
    return median(took.load / took.copy for took in _measure(bench))


@benchmark("ingest.replay_vs_copy", "x", at_most(1.5))
def replay_vs_copy(bench: Workbench) -> float:
    """The same bytes under another name, over the same COPY."""
    return median(took.replay / took.copy for took in _measure(bench))


@benchmark("ingest.resend_vs_copy", "x", None)
def resend_vs_copy(bench: Workbench) -> float:
    """The same events in another order, so that each one must be read and found to be a duplicate."""
    return median(took.resend / took.copy for took in _measure(bench))


@benchmark("ingest.copy_seconds", "s", None)
def copy_seconds(bench: Workbench) -> float:
    """The base itself: a text COPY of 1M events into a logged table without indexes."""
    return median(took.copy for took in _measure(bench))


@cache
def _measure(bench: Workbench) -> list[Seconds]:
    bench.step(f"Writing a file of {EVENTS:,} events ...")
    world = bench.folder / "world"
    write_world(world, events=round(EVENTS * 1.05), dirt=CLEAN)
    files = [bench.folder / name for name in ("events.ndjson", "again.ndjson", "reversed.ndjson")]
    lines = list(islice(lines_of(world), EVENTS))
    for path, content in zip(files, (lines, lines, reversed(lines)), strict=True):
        with path.open("wb") as file:
            file.writelines(content)
    del lines
    took = []
    for repetition in range(1, REPETITIONS + 1):
        bench.step(f"Loading {EVENTS:,} events, {repetition} of {REPETITIONS} ...")
        took.append(_repeat(bench, world, files))
    for path in files:
        path.unlink()
    return took


def _repeat(bench: Workbench, world: Path, files: list[Path]) -> Seconds:
    url = bench.new_database()
    with Warehouse(url).connect() as connection:
        for feed in ("companies", "branches"):
            for path in sorted(world.rglob(f"{feed}*.ndjson")):
                load_feed(connection, feed, path, NOW)
        load, replay, resend = (_seconds_of_load(bench, connection, path) for path in files)
        copy = _seconds_of_copy(bench, connection)
    bench.drop_database(url)
    return Seconds(copy, load, replay, resend)


def _seconds_of_load(bench: Workbench, connection: psycopg.Connection, path: Path) -> float:
    bench.settle()
    reports = []
    took = seconds(lambda: reports.append(load_events(connection, path, NOW)))
    counts = (reports[0].inserted, reports[0].duplicate)
    if reports[0].status != "published" or sorted(counts) != [0, EVENTS]:
        raise RuntimeError(f"{path.name} was not loaded as expected: {reports[0]}")
    return took


def _seconds_of_copy(bench: Workbench, connection: psycopg.Connection) -> float:
    rows = bench.folder / "rows.copy"
    with rows.open("wb") as file, connection.cursor().copy("copy (select * from raw.usage_events) to stdout") as copy:
        file.writelines(copy)
    connection.execute("create table public.plain (like raw.usage_events)")
    bench.settle()
    took = seconds(lambda: _copy_into_plain(connection, rows))
    rows.unlink()
    return took


def _copy_into_plain(connection: psycopg.Connection, rows: Path) -> None:
    with rows.open("rb") as file, connection.cursor().copy("copy public.plain from stdin") as copy:
        while block := file.read(BLOCK):
            copy.write(block)


def lines_of(world: Path) -> Iterator[bytes]:
    """The lines of the world's event files in the order of their arrival."""
    openers = {".gz": gzip.open, ".zst": zstd.open, ".ndjson": open}
    for path in sorted(world.rglob("usage-*.ndjson*")):
        with openers[path.suffix](path, "rb") as file:
            yield from file
