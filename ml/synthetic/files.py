"""Lines into files: plain, gzip or zstandard, byte-identical for the same lines."""

import gzip
from pathlib import Path

from backports import zstd

__all__ = ["write_lines"]


def write_lines(path: Path, lines: list[str]) -> None:
    """Write the lines, each ended by a line feed; the ending of the name (`.gz`, `.zst`, other) says how.

    Neither format stores a time, so the same lines give the same bytes. Missing folders are made.
    """
    content = ("\n".join(lines) + "\n").encode()
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=1, mtime=0)
    elif path.suffix == ".zst":
        content = zstd.compress(content, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
