"""What shards do in tests: functions that other processes can import."""

import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from orchestration.shards import Counts, Shard, run_shards, split

KNOWN_AT = datetime(2026, 10, 15, 13, tzinfo=UTC)


def shards(count: int) -> list[Shard]:
    return [Shard(ids, date(2026, 10, 15), KNOWN_AT, "postgresql://me:secret@db/x") for ids in split(range(count), 1)]


def say_who(shard: Shard) -> Counts:
    return {"first": shard.companies.start, "process": os.getpid()}


def say_how_many_threads(shard: Shard) -> Counts:
    """Those that linear algebra would use."""
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    return {"threads": max(library["num_threads"] for library in threadpool_info()), **say_who(shard)}


def fail_on_two(shard: Shard) -> Counts:
    if shard.companies.start == 2:
        raise ValueError("two is odd")
    return say_who(shard)


def return_nothing_on_two(shard: Shard) -> Counts:
    return {} if shard.companies.start == 2 else say_who(shard)


def die_on_two(shard: Shard) -> Counts:
    if shard.companies.start == 2:
        os._exit(1)
    return say_who(shard)


def slowly(folder: Path, seconds: float, process: Callable[[Shard], Counts], shard: Shard) -> Counts:
    """Write down which process begins and ends which shard."""
    name = f"{shard.companies.start}-{os.getpid()}"
    (folder / f"begun-{name}").touch()
    time.sleep(seconds)
    counts = process(shard)
    (folder / f"ended-{name}").touch()
    return counts


def drive(folder: str) -> None:
    """What a process does that is then interrupted or killed."""
    run_shards(partial(slowly, Path(folder), 1.0, say_who), shards(8))


def wait_until(condition: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
