"""What trackers left in a landing folder, as the pipeline sees it."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from integrations.events.contract import UsageEvent, decode_line
from integrations.events.landing import landing_files


def landed(landing: Path) -> list[UsageEvent]:
    """The events of all files that the pipeline sees, in its order."""
    lines = [line for file in landing_files(landing) for line in file.path.read_bytes().splitlines(keepends=True)]
    assert all(line.endswith(b"\n") for line in lines)
    return [decode_line(line) for line in lines]


def ids(landing: Path) -> list[str]:
    return [event.id for event in landed(landing)]


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether a condition is met within some seconds."""
    end = monotonic() + seconds
    while not (is_met := condition()) and monotonic() < end:
        sleep(0.002)
    return is_met
