"""How time and memory of a load grow with its file: five million events against one million."""

import json
import math
import resource
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from integrations.events.feeds import load_feed
from integrations.events.loader import load_events
from integrations.events.parser_pool import usable_processes
from integrations.postgres.warehouse import Warehouse
from ml.synthetic import write_world
from tests.benchmarks.ingest import CLEAN, NOW, lines_of
from tests.benchmarks.registry import at_most, benchmark
from tests.benchmarks.workbench import Workbench, seconds

EVENTS, FACTOR = 1_000_000, 5
KIB = 1024


@dataclass(frozen=True)
class Cost:
    """Of one load: wall seconds, and the sum of the peaks of the loader, its parsers and its database backend."""

    seconds: float
    bytes: int


@benchmark("ingest.memory_5m_vs_1m", "x", at_most(1.2))
def memory_growth(bench: Workbench) -> float:
    """Peak memory of a load of 5M events over that of 1M."""
    small, large = _measure(bench)
    return large.bytes / small.bytes


@benchmark("ingest.peak_memory_5m", "MiB", None)
def peak_memory(bench: Workbench) -> float:
    """The peak itself."""
    return _measure(bench)[1].bytes / KIB**2


@benchmark("ingest.time_exponent", "", at_most(1.1))
def time_exponent(bench: Workbench) -> float:
    """The power of the number of events with which the time of a load grows."""
    small, large = _measure(bench)
    return math.log(large.seconds / small.seconds, FACTOR)


@cache
def _measure(bench: Workbench) -> tuple[Cost, Cost]:
    bench.step(f"Writing files of {EVENTS:,} and {FACTOR * EVENTS:,} events ...")
    world = bench.folder / "growing"
    write_world(world, events=round(EVENTS * 1.05), dirt=CLEAN)
    small, large = bench.folder / "small.ndjson", bench.folder / "large.ndjson"
    with small.open("wb") as file:
        file.writelines(islice(lines_of(world), EVENTS))
    with large.open("wb") as file:
        for copy in range(FACTOR):
            with small.open("rb") as lines:
                file.writelines(line.replace(b'"id":"', b'"id":"%d-' % copy, 1) for line in lines)
    costs = []
    for path, events in ((small, EVENTS), (large, FACTOR * EVENTS)):
        bench.step(f"Loading {events:,} events ...")
        costs.append(_cost(bench, world, path, events))
        path.unlink()
    return costs[0], costs[1]


def _cost(bench: Workbench, world: Path, path: Path, events: int) -> Cost:
    url = bench.new_database()
    with Warehouse(url).connect() as connection:
        for feed in ("companies", "branches"):
            for described in sorted(world.rglob(f"{feed}*.ndjson")):
                load_feed(connection, feed, described, NOW)
    bench.settle()
    command = [sys.executable, "-m", __name__, url, str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    bench.drop_database(url)
    if found["inserted"] != events:
        raise RuntimeError(f"{path.name} was not loaded as expected: {found}")
    return Cost(found["seconds"], found["bytes"])


def _load(url: str, path: Path) -> None:
    """Load a file in this process, and print what it took."""
    with Warehouse(url).connect() as connection:
        reports = []
        took = seconds(lambda: reports.append(load_events(connection, path, NOW)))
        backend = Path(f"/proc/{connection.info.backend_pid}/status").read_text()
    peak_of_backend = next(int(line.split()[1]) for line in backend.splitlines() if line.startswith("VmHWM"))
    own, parser = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    peak = own + usable_processes() * parser + peak_of_backend
    print(json.dumps({"inserted": reports[0].inserted, "seconds": took, "bytes": peak * KIB}))


if __name__ == "__main__":
    _load(sys.argv[1], Path(sys.argv[2]))
