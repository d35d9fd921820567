"""Open files as they come: plain, gzip or zstd, told by their content, and read line by line."""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from backports import zstd

__all__ = [
    "Block",
    "UnreadableFile",
    "blocks_of",
    "fingerprint",
    "line_blocks",
    "numbered_lines",
    "open_decompressed",
    "start_of",
]

LONGEST_LINE = 1 << 20
BLOCK_SIZE = 1 << 22
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP, ZSTD, UTF16 = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", (b"\xff\xfe", b"\xfe\xff")
Block = tuple[int, bytes]


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


def start_of(file: BinaryIO, size: int) -> bytes:
    """The first `size` bytes or so without what precedes the content: a byte order mark and blanks."""
    start = file.read(size).removeprefix(BYTE_ORDER_MARK).lstrip(b" \t\r\n")
    while not start and (more := file.read(size)):
        start = more.lstrip(b" \t\r\n")
    return start


def numbered_lines(file: BinaryIO, first: int = 1) -> Iterator[tuple[int, bytes]]:
    """Each non-empty line with its number, from `first` on.

    Of one above 1 MiB it gives only the start, which no reader accepts.
    """
    number = first
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            _skip_rest(file, line)
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if line.strip():
            yield number, line
        number += 1


def line_blocks(file: BinaryIO) -> Iterator[Block]:
    """Blocks of whole lines of a few MiB, each with the number of its first line; `numbered_lines` reads them."""
    number = 1
    while block := file.read(BLOCK_SIZE):
        if not block.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE + 1)
            _skip_rest(file, rest)
            block += rest
        yield number, block
        number += block.count(b"\n") + (not block.endswith(b"\n"))


def blocks_of(rows: Iterable[bytes]) -> Iterator[Block]:
    """Blocks of lines, one for each row that is JSON, so that the n-th row is line n; `numbered_lines` reads them."""
    first, lines, size = 1, [], 0
    for number, row in enumerate(rows, 1):
        # Between tokens both are blanks; within a string, where JSON knows neither, it stays one.
        lines.append(row[: LONGEST_LINE + 1].replace(b"\n", b"\r"))
        size += len(lines[-1])
        if size >= BLOCK_SIZE:
            yield first, b"\n".join(lines)
            first, lines, size = number + 1, [], 0
    if lines:
        yield first, b"\n".join(lines)


def _skip_rest(file: BinaryIO, line: bytes) -> None:
    """Go to the end of the line of which `line` is the start."""
    while line and not line.endswith(b"\n"):
        line = file.readline(LONGEST_LINE)
