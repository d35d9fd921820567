"""What it costs an application to track an event."""

from statistics import median
from time import perf_counter_ns

from integrations.events.landing import landing_files
from integrations.events.tracker import Tracker
from tests.benchmarks.registry import at_most, benchmark
from tests.benchmarks.workbench import Workbench

CALLS = 50_000


@benchmark("tracker.call_microseconds", "us", at_most(50))
def call_microseconds(bench: Workbench) -> float:
    """The median of 50,000 calls as fast as they go, while files of them are written beside it."""
    bench.step(f"Tracking {CALLS:,} events ...")
    landing = bench.folder / "tracked"
    landing.mkdir()
    with Tracker(landing, "/phone") as tracker:
        took = [_call_nanoseconds(tracker, number) for number in range(CALLS)]
    written = sum(file.path.read_bytes().count(b"\n") for file in landing_files(landing))
    if written != CALLS:
        raise RuntimeError(f"{CALLS:,} events were tracked, and {written:,} were written.")
    return median(took) / 1_000


def _call_nanoseconds(tracker: Tracker, number: int) -> int:
    begun = perf_counter_ns()
    tracker.track("call", "acme", customer=f"c-{number % 40}", duration_seconds=number % 600, outcome="success")
    return perf_counter_ns() - begun
