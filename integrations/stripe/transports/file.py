"""The default transport: exact request bodies, one JSON line each, in `meter_events.jsonl`."""

from datetime import date
from pathlib import Path

from integrations.json_lines import JsonLines
from integrations.stripe.meter_event_request import PlannedMeterEvent, meter_event_body
from integrations.stripe.transports.submission import Submission

__all__ = ["FileBilling"]


class FileBilling:
    """Appends each body once, also across crashes and writers. Needs no key and bills nothing: state `dry_run`."""

    def __init__(self, folder: str | Path) -> None:
        self._file = JsonLines(Path(folder) / "meter_events.jsonl", key="identifier", kind="meter event")

    @property
    def destination(self) -> str:
        """`file`."""
        return "file"

    @property
    def from_date(self) -> date | None:
        """None: files may hold any day's usage."""
        return None

    def deliver(self, event: PlannedMeterEvent) -> Submission:
        """Append the body of one event, unless its key is in the file already."""
        is_new = self._file.append(meter_event_body(event))
        return Submission("dry_run", detail=None if is_new else "already there")
