"""Times of a foreign table: the formats in which they are written, and the zones in which they are meant."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["TimeReader", "check_format", "has_offset", "localise", "zone_of"]

TimeFormat = Callable[[str], datetime]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_NUMBER = re.compile(r"([0-9]{1,15})(?:\.([0-9]+))?")
OFFSET = re.compile(r"([+-])([01][0-9]):?([0-5][0-9])")
WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
FIXED_WIDTH = (["m", "d"], ["m", "d", "H"], ["m", "d", "H", "M"], ["m", "d", "H", "M", "S"])
SAMPLE = datetime(2026, 11, 22, 21, 44, 55, 123456, tzinfo=UTC)
SAMPLE_TIMES = (time(), time(21), time(21, 44), time(21, 44, 55), time(21, 44, 55, 123456))


def iso8601(text: str) -> datetime:
    """A date with a time of day, and with an offset if it names one.

    Raises:
        ValueError: when it is something else; for a date alone, too, whose time may have got lost.
    """
    if "T" not in text and ":" not in text:
        raise ValueError(f"{text!r} has no time of day")
    return datetime.fromisoformat(text)


def epoch_seconds(text: str) -> datetime:
    """Seconds since 1970-01-01 UTC; what is finer than a microsecond is cut off.

    Raises:
        ValueError: when it is no such number.
    """
    return _since_epoch(text, timedelta(seconds=1))


def epoch_milliseconds(text: str) -> datetime:
    """Milliseconds since 1970-01-01 UTC; what is finer than a microsecond is cut off.

    Raises:
        ValueError: when it is no such number.
    """
    return _since_epoch(text, timedelta(milliseconds=1))


def _since_epoch(text: str, unit: timedelta) -> datetime:
    number = EPOCH_NUMBER.fullmatch(text)
    if number is None:
        raise ValueError(f"{text!r} is no number")
    millionths = int((number[2] or "")[:6].ljust(6, "0"))
    return EPOCH + int(number[1]) * unit + millionths * unit // 1_000_000


NAMED: dict[str, TimeFormat] = {
    "iso8601": iso8601,
    "epoch_seconds": epoch_seconds,
    "epoch_milliseconds": epoch_milliseconds,
}


class StrptimeFormat:
    """A strptime format; one of year, month, day and time of day in digits is read without strptime, which is slow.

    Where each of its numbers has its full width, there is only one way to read it, so the result is the same.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        directives = re.findall("%(.)", text)
        year = "Y" if "Y" in directives else "y"
        self._groups: list[str] = []
        for rest in FIXED_WIDTH:
            if sorted(directives) == sorted([year, *rest]):
                self._groups = [year, *rest]
        literals = [re.escape(part) for part in re.split("%.", text)]
        numbers = [f"(?P<{name}>[0-9]{{{WIDTHS[name]}}})" for name in directives if self._groups]
        self._fixed = re.compile("".join(map(str.__add__, literals, [*numbers, ""]))) if numbers else None

    def __call__(self, text: str) -> datetime:
        """The time, naive unless an offset is written.

        Raises:
            ValueError: when it is not in this format.
        """
        found = self._fixed.fullmatch(text) if self._fixed else None
        if found is None:
            return datetime.strptime(text, self.text)  # noqa: DTZ007 (its zone is given by `read_time`)
        year, *rest = map(int, found.group(*self._groups))
        if self._groups[0] == "y":
            year += 1900 if year > 68 else 2000  # as strptime does, after POSIX
        return datetime(year, *rest)  # type: ignore[arg-type]  # noqa: DTZ001 (as above)


def time_format(text: str) -> TimeFormat:
    """What reads times in a format: `iso8601`, `epoch_seconds`, `epoch_milliseconds`, or one of strptime's."""
    return NAMED.get(text) or StrptimeFormat(text)


class TimeReader:
    """Reads times that are written in one of several formats; the first that fits is taken."""

    def __init__(self, formats: tuple[str, ...]) -> None:
        self._formats = tuple(map(time_format, formats))
        self._description = " or ".join(map(repr, formats))

    def read(self, text: str, zone: tzinfo | None) -> tuple[datetime, bool]:
        """The time, and whether it did not exist in `zone` and was shifted forward; a written offset overrides `zone`.

        Raises:
            ValueError: when it is in none of the formats, or has neither offset nor zone.
        """
        for read in self._formats:
            try:
                found = read(text)
                if found.tzinfo is not None:
                    return found, False
                if zone is not None:
                    return localise(found, zone)
            except (ValueError, OverflowError):
                continue
            raise ValueError(f"time {text!r} names no offset from UTC, and no time zone is given")
        raise ValueError(f"time {text!r} is not in the format {self._description}")


def check_format(text: str) -> str:
    """The format itself, when it tells the whole date and no hour by halves.

    Raises:
        ValueError: saying what it lacks.
    """
    if text in NAMED:
        return text
    if "%Z" in text:
        raise ValueError(f"the format {text!r} has %Z, which no offset can be read from; use %z or a time_zone")
    try:
        parsed = datetime.strptime(SAMPLE.strftime(text), text)  # noqa: DTZ007 (only its parts are compared)
    except (ValueError, re.error) as error:
        names = ", ".join(NAMED)
        raise ValueError(
            f"the format {text!r} can't be used ({error}); use strptime's directives, or {names}"
        ) from error
    if parsed.date() != SAMPLE.date():
        raise ValueError(f"the format {text!r} does not tell the whole date; it needs year, month and day")
    if parsed.time() not in SAMPLE_TIMES:
        raise ValueError(f"the format {text!r} does not tell the hour; use %H, or %I with %p")
    return text


def has_offset(text: str) -> bool:
    """Tell whether times in this format may be read without knowing a zone."""
    return text in NAMED or "%z" in text


@lru_cache(maxsize=1024)
def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name such as Europe/Berlin, or of an offset such as +02:00.

    Raises:
        ValueError: when there is none.
    """
    if offset := OFFSET.fullmatch(name):
        east = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(east if offset[1] == "+" else -east)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(
            f"no time zone {name!r} is known; use an IANA name like Europe/Berlin, or an offset like +02:00"
        ) from error


def localise(naive: datetime, zone: tzinfo) -> tuple[datetime, bool]:
    """Give a local time its zone; an ambiguous one is the first, one that does not exist is shifted forward.

    Returns:
        The time in UTC, and whether it was shifted.
    """
    instant = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return instant, instant.astimezone(zone).replace(tzinfo=None) != naive
