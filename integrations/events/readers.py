"""Open files as they come: plain, gzip or zstd, told by their content, and read line by line."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from backports import zstd

__all__ = ["UnreadableFile", "fingerprint", "numbered_lines", "open_decompressed"]

LONGEST_LINE = 1 << 20
GZIP, ZSTD, UTF16 = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", (b"\xff\xfe", b"\xfe\xff")


class UnreadableFile(Exception):
    """A file of which nothing was taken, with one sentence that names it."""


def fingerprint(path: Path) -> str:
    """SHA-256 of the file's bytes.

    Raises:
        UnreadableFile: when it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFile(f"{path.name} can't be read: {error.strerror}") from error


@contextmanager
def open_decompressed(path: Path) -> Iterator[BinaryIO]:
    """The file's decompressed bytes.

    Raises:
        UnreadableFile: while opening or reading, when it is no UTF-8 file or its compression is broken.
    """
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
            raw.seek(0)
            if start[:2] in UTF16:
                raise UnreadableFile(f"{path.name} is UTF-16; convert it to UTF-8")
            if start[:2] == GZIP:
                with gzip.open(raw) as file:
                    yield file  # type: ignore[misc]
            elif start == ZSTD:
                with zstd.open(raw) as file:
                    yield file  # type: ignore[misc]
            else:
                yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError) as error:
        raise UnreadableFile(f"{path.name} is truncated or its compression is damaged: {error}") from error
    except OSError as error:
        raise UnreadableFile(f"{path.name} can't be read: {error.strerror or error}") from error


def numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each non-empty line with its number from 1 on; of one above 1 MiB only its start, which no reader accepts."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line
