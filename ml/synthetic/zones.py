"""Local seconds to UTC and back for whole arrays, through the changes of the clock."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

__all__ = ["DAY", "HOUR", "offsets_at", "to_utc"]

HOUR = 3600
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))

Seconds = npt.NDArray[np.int64]


def to_utc(local: Seconds, zone: str, second: npt.NDArray[np.bool_]) -> Seconds:
    """UTC seconds of naive local seconds since 1970.

    A local time that happens twice is the second one where `second` is true; one that does not exist moves forward.
    """
    hours, position = np.unique(local // HOUR, return_inverse=True)
    first, repeated = (np.array([_local_offset(int(h), zone, fold) for h in hours], dtype=np.int64) for fold in (0, 1))
    # In a gap the second fold would move the time back: only a repeated hour, whose offset is smaller, may use it.
    usable = np.minimum(first, repeated)
    return np.asarray(local - np.where(second, usable[position], first[position]))


def offsets_at(utc: Seconds, zone: str) -> Seconds:
    """Offset of the zone from UTC, in seconds, at each instant (UTC seconds since 1970)."""
    hours, position = np.unique(utc // HOUR, return_inverse=True)
    table = np.array([_offset(int(hour), zone) for hour in hours], dtype=np.int64)
    return table[position]


def _local_offset(hour: int, zone: str, fold: int) -> int:
    naive = (_EPOCH + timedelta(hours=hour)).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(naive.utcoffset().total_seconds())  # type: ignore[union-attr]


def _offset(hour: int, zone: str) -> int:
    return int((_EPOCH + timedelta(hours=hour)).astimezone(ZoneInfo(zone)).utcoffset().total_seconds())  # type: ignore[union-attr]
