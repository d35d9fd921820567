"""The default transport: exact request bodies, one JSON line each, in `meter_events.jsonl`."""

import fcntl
import json
import os
from datetime import date
from pathlib import Path
from typing import BinaryIO

from integrations.stripe.meter_event_request import PlannedMeterEvent, meter_event_body
from integrations.stripe.transports.submission import Submission

__all__ = ["FileBilling"]


class FileBilling:
    """Appends each body once, also across crashes and writers. Needs no key and bills nothing: state `dry_run`."""

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / "meter_events.jsonl"
        self._keys: set[str] = set()
        self._read_to = 0

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
        line = json.dumps(meter_event_body(event), separators=(",", ":")).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._catch_up(file)
            if event.key in self._keys:
                return Submission("dry_run", detail="already there")
            file.write(line)
            file.flush()
            self._keys.add(event.key)
            self._read_to = file.tell()
        return Submission("dry_run")

    def _catch_up(self, file: BinaryIO) -> None:
        """Read the keys that were written since the last look, and repair a last line that a crash left torn."""
        if file.seek(0, os.SEEK_END) < self._read_to:
            self._keys, self._read_to = set(), 0
        file.seek(self._read_to)
        *lines, tail = file.read().split(b"\n")
        if tail:
            torn = self._key(tail) is None
            file.truncate(file.tell() - len(tail)) if torn else file.write(b"\n")
            file.flush()
            lines += [] if torn else [tail]
        for line in lines:
            key = self._key(line)
            if key is None:
                raise ValueError(f"{self.path}: a line is no meter event; move the file away, it will be written anew")
            self._keys.add(key)
        self._read_to = file.seek(0, os.SEEK_END)

    def _key(self, line: bytes) -> str | None:
        try:
            return str(json.loads(line)["identifier"])
        except (ValueError, KeyError, TypeError):
            return None
