"""A place to measure in: a database server of its own with everyday durability, gone when the measuring ends."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from integrations.postgres.schema import create_database, migrate
from integrations.postgres.server import EmbeddedServer

__all__ = ["Workbench", "open_workbench", "seconds"]

TEMPLATE = "template_migrated"
NUMBERS = count(1)


class Workbench:
    """Fresh databases and scratch files for benchmarks.

    Attributes:
        folder: for files, removed at the end.
        step: called with a sentence when something begins.
        show: called with figures that stay on the screen, beside the value of a benchmark.
    """

    def __init__(
        self, server: EmbeddedServer, folder: Path, step: Callable[[str], None], show: Callable[[Any], None]
    ) -> None:
        self.folder = folder
        self.step = step
        self.show = show
        self._server = server

    def new_database(self) -> str:
        """The URL of an empty database with the whole schema."""
        self._migrate_template()
        name = f"bench_{next(NUMBERS)}"
        with self._admin() as admin:
            admin.execute(f"create database {name} template {TEMPLATE}".encode())
        return self._server.url(name)

    def drop_database(self, url: str) -> None:
        """Give the space of a database back."""
        with self._admin() as admin:
            admin.execute(f"drop database {url.rpartition('/')[2]} with (force)".encode())

    def settle(self) -> None:
        """Write out what is pending, so that one measurement does not pay for the one before."""
        with self._admin() as admin:
            admin.execute("checkpoint")

    @cache  # noqa: B019 (one workbench lives as long as the process)
    def _migrate_template(self) -> None:
        self._server.start()
        url = self._server.url(TEMPLATE)
        create_database(url)
        migrate(url)

    def _admin(self) -> psycopg.Connection:
        return psycopg.connect(self._server.url("postgres"), autocommit=True)


@contextmanager
def open_workbench(step: Callable[[str], None], show: Callable[[Any], None]) -> Iterator[Workbench]:
    """A workbench in a temporary folder; whatever ends the block stops its server and removes the folder.

    The process's environment is pointed at the folder, so that nothing reaches the user's database or files.
    """
    folder = Path(tempfile.mkdtemp(prefix="usage-pricing-bench-", dir="/var/tmp"))
    folder.chmod(0o755)  # as root, the server runs as somebody else, who must be able to enter
    os.environ.pop("DATABASE_URL", None)
    os.environ["USAGE_PRICING_LOCAL"] = str(folder / "local")
    server = EmbeddedServer(folder / "server")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield Workbench(server, folder, step, show)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def seconds(action: Callable[[], Any]) -> float:
    """How long an action takes, in seconds of wall time."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun
