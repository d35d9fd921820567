"""Which event arrives on which day: in time, late, twice, or again with other content."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.synthetic.dirt import Dirt
from ml.synthetic.events import CALL, Events, Ints, Window
from ml.synthetic.zones import DAY

__all__ = ["CHANGED", "FIRST", "LATE", "RESENT", "Deliveries", "deliver", "schedule"]

FIRST, LATE, RESENT, CHANGED = 0, 1, 2, 3
_MOST_DAYS_LATE = 4
_MOST_DAYS_TO_RESEND = 5

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Deliveries:
    """One row per line, by arrival and position within the day.

    `day` counts from the first day of the world, `key` is the position in the day in [0, 1), `status` is one of
    FIRST (in time), LATE, RESENT (the same again), CHANGED (the same id, another duration).
    """

    events: Events
    day: Ints
    key: Floats
    status: Ints

    def on(self, day: int) -> "Deliveries":
        """The rows that arrive on one day."""
        span = slice(*np.searchsorted(self.day, [day, day + 1]).tolist())
        return self.take(span)

    def parts(self, most_lines: int) -> list["Deliveries"]:
        """The rows cut into equal parts of at most `most_lines`."""
        count = -(-len(self.events) // most_lines)
        return [self.take(rows) for rows in np.array_split(np.arange(len(self.events)), count)] if count else []

    def without(self, rows: Ints) -> "Deliveries":
        """All rows but these."""
        return self.take(np.delete(np.arange(len(self.events)), rows))

    def take(self, rows: Ints | slice) -> "Deliveries":
        """Some of the rows, in the order of `rows`."""
        return Deliveries(self.events[rows], self.day[rows], self.key[rows], self.status[rows])


def schedule(events: Events, window: Window, dirt: Dirt, rng: np.random.Generator) -> Deliveries:
    """First arrival of each event, in the order given: the UTC day after its usage, or up to four days later.

    Nothing arrives after the day on which the last event of the world arrives.
    """
    day = (events["utc"] - window.first_second) // DAY + 1
    key = events["utc"] % DAY / DAY
    last = int(day.max(initial=1))
    is_late = (rng.random(len(events)) < dirt.late) & (day < last)
    delay = rng.integers(1, _MOST_DAYS_LATE + 1, len(events))
    return Deliveries(
        events,
        np.where(is_late, np.minimum(day + delay, last), day),
        np.where(is_late, rng.random(len(events)), key),
        np.where(is_late, LATE, FIRST),
    )


def deliver(first: Deliveries, dirt: Dirt, rng: np.random.Generator) -> Deliveries:
    """All lines in the order of arrival: the first arrivals and what is sent again; an original comes first."""
    lines = _joined([first, _resent(first, dirt, rng), _changed(first, dirt, rng)])
    return lines.take(np.lexsort((lines.status, lines.key, lines.day)))


def _resent(first: Deliveries, dirt: Dirt, rng: np.random.Generator) -> Deliveries:
    chosen = first.take(np.flatnonzero(rng.random(len(first.events)) < dirt.resend))
    count = len(chosen.events)
    gap = np.where(rng.random(count) < 0.5, 0, rng.integers(1, _MOST_DAYS_TO_RESEND + 1, count))
    day = np.minimum(chosen.day + gap, first.day.max(initial=1))
    draw = rng.random(count)
    key = np.where(day == chosen.day, chosen.key + (1 - chosen.key) * draw, draw)
    return Deliveries(chosen.events, day, key, np.full(count, RESENT))


def _changed(first: Deliveries, dirt: Dirt, rng: np.random.Generator) -> Deliveries:
    """At most one conflict on a day, and only on days whose files may hold a rejected line."""
    calls = np.flatnonzero((first.events["kind"] == CALL) & (first.events["duration"] > 0))
    days, counts = np.unique(first.day[calls], return_counts=True)
    open_days = rng.permutation(days[dirt.rejected_cap * counts >= 1])[: dirt.conflicts]
    rows = [rng.choice(calls[first.day[calls] == day]) for day in np.sort(open_days)]
    chosen = first.take(np.array(rows, dtype=np.int64))
    chosen.events["duration"] += 1 + rng.integers(0, 300, len(rows)).astype(np.int32)
    key = chosen.key + (1 - chosen.key) * rng.random(len(rows))
    return Deliveries(chosen.events, chosen.day, key, np.full(len(rows), CHANGED))


def _joined(parts: list[Deliveries]) -> Deliveries:
    return Deliveries(
        np.concatenate([part.events for part in parts]),
        np.concatenate([part.day for part in parts]),
        np.concatenate([part.key for part in parts]),
        np.concatenate([part.status for part in parts]),
    )
