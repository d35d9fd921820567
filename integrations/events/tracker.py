"""What an application calls to feed the pipeline: events are checked, buffered, and land as whole files."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from integrations.events.contract import Refused, UsageData, UsageEvent
from integrations.events.encoding import encode_line
from integrations.events.limits import ONE
from integrations.events.line_buffer import LineBuffer
from integrations.events.whole_files import write_whole

__all__ = ["Tracker", "utc_now"]

FOLDER_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def utc_now() -> datetime:
    """The time of the machine on which the application runs."""
    return datetime.fromtimestamp(time_ns() / 1e9, UTC)


class Tracker:
    """Writes usage events into the landing folder, in files that appear whole and never change.

    A file is written in the background when `flush_at` events are buffered or `flush_seconds` after the first of them;
    and by `flush`, by `close` and when the interpreter ends. While nothing can be written, events stay buffered and the
    log says so. Threads may share a tracker; after a fork, the child's begins empty. A child of `multiprocessing` ends
    without notice, and must close its tracker.

    Args:
        landing_folder: the pipeline's; it is never created, since one that is missing is most likely not mounted.
        source: who reports, in every event; ids are unique within it and a company.
        producer: files go to `events/<producer>/<date>`; made of the source unless given. Processes may share it.
        flush_at: each flush makes a file, which is loaded for itself; set it higher for thousands of events a second.
        flush_seconds: also the pause after a failure.
        most_buffered: events beyond that are dropped, logged, and counted in `dropped`.
        clock: the time of events that have none, and of the files' names.

    Raises:
        ValueError: when a setting is wrong.
    """

    def __init__(
        self,
        landing_folder: Path | str,
        source: str,
        *,
        producer: str | None = None,
        flush_at: int = 100,
        flush_seconds: float = 5.0,
        most_buffered: int = 100_000,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", source).strip("-.")[:100] if producer is None else producer
        if not FOLDER_NAME.fullmatch(name):
            raise ValueError(f"producer: {name!r} is no folder name; give up to 100 of A-Z a-z 0-9 _ - and inner dots")
        self._landing_folder = Path(landing_folder)
        self._source = source
        self._producer = name
        self._clock = clock
        self._buffer = LineBuffer(name, self._write, flush_at, flush_seconds, most_buffered)

    @property
    def dropped(self) -> int:
        """How many events were lost in this process because too many waited to be written."""
        return self._buffer.dropped

    def track(
        self,
        type: str,
        company: str,
        *,
        id: str | None = None,
        time: datetime | None = None,
        branch: str | None = None,
        customer: str | None = None,
        quantity: Decimal | int = ONE,
        duration_seconds: int | None = None,
        outcome: str | None = None,
        service: str | None = None,
        channel: str | None = None,
        revenue: Decimal | None = None,
        currency: str | None = None,
        properties: dict[str, Any] | None = None,
    ) -> str:
        """Buffer one event and return its id; the arguments are the fields of `UsageEvent` and `UsageData`.

        Args:
            id: the application's own, if it has one: then an event that is tracked again, with its `time`, counts once.
            time: when it happened, with a zone; now, unless given.

        Raises:
            ValueError: naming the argument, for an event that breaks the contract; also after `close`.
        """
        event_id = str(uuid4()) if id is None else id
        happened_at = self._clock() if time is None else time
        data = UsageData(
            branch=branch,
            customer=customer,
            quantity=quantity,  # type: ignore[arg-type]  # a whole number is read as a Decimal
            duration_seconds=duration_seconds,
            outcome=outcome,
            service=service,
            channel=channel,
            revenue=revenue,
            currency=currency,
            properties=properties,
        )
        try:
            line = encode_line(UsageEvent(event_id, self._source, type, company, happened_at, data))
        except Refused as refused:
            raise ValueError(_as_argument(str(refused))) from refused
        self._buffer.add(line)
        return event_id

    def flush(self) -> None:
        """Write what was tracked before, to the disk itself, so that it outlives this process.

        Raises:
            OSError: when it can't be written; it stays buffered.
        """
        self._buffer.flush()

    def close(self) -> None:
        """Accept no more events, and `flush`. From a signal handler raise SystemExit instead, as locks may be held.

        Raises:
            OSError: as `flush`, which may be repeated.
        """
        self._buffer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, lines: Sequence[bytes]) -> None:
        if not self._landing_folder.is_dir():
            raise FileNotFoundError(f"The landing folder {self._landing_folder} does not exist. Create or mount it.")
        now = self._clock()
        folder = self._landing_folder / "events" / self._producer / f"{now:%Y-%m-%d}"
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{now:%H%M%S%f}-{uuid4().hex}.ndjson", lines)


def _as_argument(message: str) -> str:
    """A refusal in the words of `track`."""
    return re.sub(r"^subject\b", "company", message.removeprefix("data."))
