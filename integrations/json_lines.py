"""A file of JSON lines to which each record is appended once, also across crashes and writers."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["JsonLines"]


class JsonLines:
    """One record per line, each with its key in the field `key`.

    Args:
        path: of the file; its folder is made when the first record comes.
        key: the field that makes a record unique.
        kind: what a record is, for the error about a line that is none.
    """

    def __init__(self, path: Path, key: str, kind: str) -> None:
        self.path = path
        self._field, self._kind = key, kind
        self._keys: set[str] = set()
        self._read_to = 0

    def append(self, record: Mapping[str, Any]) -> bool:
        """Append a record; False when its key is in the file already.

        Raises:
            ValueError: when the file holds a whole line that is no such record.
        """
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._catch_up(file)
            if record[self._field] in self._keys:
                return False
            file.write(line)
            file.flush()
            self._keys.add(record[self._field])
            self._read_to = file.tell()
        return True

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
                raise ValueError(f"{self.path}: a line is no {self._kind}; move the file away, it will be written anew")
            self._keys.add(key)
        self._read_to = file.seek(0, os.SEEK_END)

    def _key(self, line: bytes) -> str | None:
        try:
            return str(json.loads(line)[self._field])
        except (ValueError, KeyError, TypeError):
            return None
