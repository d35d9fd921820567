"""Work on many companies in shards: in several processes, or on several machines, and never half done.

A process of shards is a function of a module that Dagster is not imported by: `process(shard) -> counts`. It reads what
its companies did, and nothing of others; it writes its own rows, in one transaction that deletes before it inserts,
since a shard may be processed twice. What depends on all companies is computed before and goes with each shard.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

ALL_COMPANIES = range(sys.maxsize)
SHARD_COMPANIES = 500
"""Companies of a shard: the memory of a process is that of their inputs."""
SHARDS_PER_WORKER = 4
"""A process that has fewer to do takes longer to start than to work."""
SECONDS_FOR_WORKERS = 60
"""How long Dask may take until its first worker is there."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Of a worker's linear algebra: the cores are busy with other workers."""
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Shard:
    """Companies with all that is needed to work on them anywhere.

    Attributes:
        companies: the ids that it covers, half-open; rows of ids between that are no longer active are its own, too.
        as_of: no usage at or after it is read.
        known_at: the instant for which its rows speak.
        database_url: not shown, since it holds a password.
        pooled: what was computed over all companies, the same for every shard of an `as_of`.
    """

    companies: range
    as_of: date
    known_at: datetime
    database_url: str = field(repr=False)
    pooled: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __str__(self) -> str:
        end = "on" if self.companies.stop == ALL_COMPANIES.stop else f"to {self.companies.stop - 1}"
        return f"companies {self.companies.start} {end} as of {self.as_of}"


class ShardsMissing(RuntimeError):
    """Not every shard came back; `missing` has those that did not."""

    def __init__(self, missing: Sequence[Shard], count: int, first: BaseException | None) -> None:
        self.missing = list(missing)
        shown = "; ".join(map(str, self.missing[:10])) + (" ..." if len(self.missing) > 10 else "")
        why = f"The first one failed with {type(first).__name__}: {first}" if first else "They returned no counts"
        super().__init__(f"{len(self.missing)} of {count} shards did not come back: {shown}. {why}")


def split(company_ids: Sequence[int], size: int = SHARD_COMPANIES) -> list[range]:
    """Ranges of ids, in order, with `size` of the companies in each but the last; together they cover every id."""
    first = sorted(company_ids)[size::size]
    bounds = [ALL_COMPANIES.start, *first, ALL_COMPANIES.stop]
    return [range(start, end) for start, end in pairwise(bounds)]


def run_shards(
    process: Callable[[Shard], Counts], shards: Sequence[Shard], tell: Callable[[str], Any] = print
) -> list[Counts]:
    """Process every shard; returns their counts, in the order of the shards.

    By up to ANALYSIS_WORKERS processes (as many as there are cores unless set), within this one where a second has too
    little to do, or by the workers of the Dask scheduler at DASK_SCHEDULER. When one shard fails, the others are
    processed all the same. An interruption lets the running shards end and starts no further one.

    Args:
        process: a function that other processes can import, or a partial of one.
        shards: what to process.
        tell: is told of each shard that came back.

    Raises:
        ShardsMissing: unless every shard came back with its counts.
        ConnectionError: when there is no scheduler, or it has no workers.
        ValueError: when a setting makes no sense.
    """
    counts: dict[int, Counts] = {}
    first: BaseException | None = None
    with _executor(len(shards)) as executor:
        places = {executor.submit(process, shard): place for place, shard in enumerate(shards)}
        try:
            for done, future in enumerate(as_completed(places), start=1):
                place = places[future]
                error = CancelledError("it was cancelled") if future.cancelled() else future.exception()
                if error:
                    first = first or error
                elif future.result():
                    counts[place] = future.result()
                outcome = dict(counts[place]) if place in counts else repr(error)
                tell(f"{done} of {len(shards)} shards: {shards[place]}: {outcome}")
        finally:
            for future in places:
                future.cancel()
    if missing := [shard for place, shard in enumerate(shards) if place not in counts]:
        raise ShardsMissing(missing, len(shards), first) from first
    return [counts[place] for place in range(len(shards))]


def total(counts: Sequence[Counts]) -> dict[str, int]:
    """The sum of the shards' counts, and how many there were."""
    names = {name for count in counts for name in count}
    return {"shards": len(counts)} | {name: sum(count.get(name, 0) for count in counts) for name in sorted(names)}


def worker_count() -> int:
    """How many processes may work: ANALYSIS_WORKERS, else one for each core that this process may use.

    Raises:
        ValueError: when the setting is no whole number of at least one.
    """
    wanted = os.environ.get("ANALYSIS_WORKERS")
    if not wanted:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not wanted.isdecimal() or int(wanted) < 1:
        raise ValueError(f"ANALYSIS_WORKERS is {wanted!r}; give the number of processes, 1 or more.")
    return int(wanted)


@contextmanager
def _executor(count: int) -> Iterator[Executor]:
    """Where `count` shards are processed."""
    if address := os.environ.get("DASK_SCHEDULER"):
        with _dask(address) as executor:
            yield executor
        return
    workers = min(count // SHARDS_PER_WORKER, worker_count())
    if workers > 1:
        # Spawned, since a fork beside running threads may hang.
        local: Executor = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin_worker)
    else:
        local = ThreadPoolExecutor(1)
    with local:
        yield local


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    """The workers of a scheduler; a shard whose worker is gone is processed by another one."""
    try:
        from distributed import Client
    except ImportError:
        raise ConnectionError(
            "DASK_SCHEDULER is set, but Dask is not installed: pip install dask distributed"
        ) from None
    try:
        client = Client(address, timeout=SECONDS_FOR_WORKERS, set_as_default=False)
    except OSError as error:
        raise ConnectionError(f"No Dask scheduler answers at {address}; start it, or unset DASK_SCHEDULER.") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_FOR_WORKERS)
        except TimeoutError as error:
            raise ConnectionError(
                f"The Dask scheduler at {address} has no workers; start one: dask worker {address}"
            ) from error
        # A pure function may be answered from what another run has in memory, and would then write nothing.
        yield client.get_executor(pure=False)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the driver decides what it means
    os.environ.update(ONE_THREAD)  # before numpy is there
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A driver that is killed leaves no process behind."""
    if parent := parent_process():
        parent.join()
        os._exit(1)
