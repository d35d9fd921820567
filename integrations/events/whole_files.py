"""Write files of which a reader sees all or nothing, even if the power fails in between."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write a new file under a hidden name, bring it to the disk, and only then give it its name.

    Nothing is kept in this process's memory, where a fork would copy and write it again.

    Raises:
        OSError: when it can't be written; then nothing is left of it.
    """
    hidden = path.with_name(f".{path.name}.tmp")
    rest = memoryview(b"".join(parts))
    try:
        with hidden.open("xb", buffering=0) as file:
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        hidden.rename(path)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk too, where the file system can; the file itself is there already."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
