"""What an event is inside the simulator: one array for all, and the window in which they happen."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from ml.synthetic.companies import Company
from ml.synthetic.zones import DAY, offsets_at

__all__ = [
    "APPOINTMENT",
    "APPOINTMENT_OUTCOMES",
    "CALL",
    "CALL_OUTCOMES",
    "CHANNELS",
    "COMPLETED",
    "EVENT",
    "FAILURE",
    "MISSED",
    "SUCCESS",
    "Events",
    "Ints",
    "Window",
    "blank_events",
    "weekday_of",
]

CALL, APPOINTMENT = 0, 1
CALL_OUTCOMES = ("success", "failure", "missed")
APPOINTMENT_OUTCOMES = ("completed", "cancelled", "no_show")
CHANNELS = ("direct", "referral", "search", "campaign")
SUCCESS, FAILURE, MISSED = 0, 1, 2
COMPLETED = 0

# utc and offset in seconds; `number` makes the id; `detail` is the channel of a call, the service of an appointment.
EVENT = np.dtype(
    [
        ("utc", "i8"),
        ("offset", "i4"),
        ("company", "i4"),
        ("kind", "u1"),
        ("branch", "u1"),
        ("number", "i4"),
        ("customer", "i4"),
        ("duration", "i4"),
        ("outcome", "u1"),
        ("detail", "u1"),
        ("cents", "i4"),
    ]
)

Events = npt.NDArray[np.void]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """The local days [start, start + days) of the world; nothing happens before UTC midnight of `start`."""

    start: date
    days: int

    @property
    def first_second(self) -> int:
        """Midnight of the first day, in seconds since 1970 (naive, or UTC)."""
        return (self.start - date(1970, 1, 1)).days * DAY

    @property
    def weekdays(self) -> Ints:
        """Weekday of each day, Monday 0."""
        return np.array([(self.start + timedelta(days=day)).weekday() for day in range(self.days)])


def blank_events(company: Company, utc: Ints, kind: int) -> Events:
    """Events of one company at these instants (UTC seconds), everything else zero."""
    events = np.zeros(len(utc), dtype=EVENT)
    events["utc"] = utc
    events["offset"] = offsets_at(utc, company.market.time_zone)
    events["company"] = company.number
    events["kind"] = kind
    return events


def weekday_of(local: Ints) -> Ints:
    """Weekday of naive local seconds since 1970, Monday 0 (1970-01-01 was a Thursday)."""
    return (local // DAY + 3) % 7
