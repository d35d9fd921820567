"""One writer at a time, across processes and machines: a session lock in the database itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

__all__ = ["WRITER_LOCK", "exclusive"]

# Of the marts: builds, the archive and erasure wait for each other, so that none sees half of what another does.
WRITER_LOCK = 7_151_004


@contextmanager
def exclusive(url: str, lock: int) -> Iterator[None]:
    """Hold an advisory lock for the time of a block; a process that dies gives it back."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [lock])
        yield
