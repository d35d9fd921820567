from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from integrations.postgres.server import EmbeddedServer
from tests.integrations.postgres.reused import ReusedDatabase

FAST = "fsync = off\nfull_page_writes = off\nshared_buffers = '16MB'\n"


@pytest.fixture(scope="module")
def new_server(server_home: Path, request) -> Iterator[Callable[..., EmbeddedServer]]:
    """A factory of servers, not yet started, that are stopped in the end; their homes are named after the module."""
    with ExitStack() as servers:

        def make(home: str | Path, **options) -> EmbeddedServer:
            made = EmbeddedServer(server_home / Path(request.path).stem / home, FAST, **options)
            servers.callback(made.stop)
            return made

        yield make


@pytest.fixture(scope="session")
def number_kept_in():
    """Store a number in a server, or read it again."""

    def number(server: EmbeddedServer, store: int | None = None) -> int:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            if store is not None:
                connection.execute("create table if not exists kept (number bigint)")
                connection.execute("insert into kept values (%s)", [store])
            return connection.execute("select sum(number)::bigint from kept").fetchone()[0]

    return number


@pytest.fixture(scope="session")
def reused(server, template) -> ReusedDatabase:
    """One database for all tests of this folder."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"create database reused_postgres template {template} strategy wal_log".encode())
    return ReusedDatabase(server.url("reused_postgres"))


@pytest.fixture
def database_url(reused: ReusedDatabase) -> Iterator[str]:
    """An empty, migrated database."""
    yield reused.url
    reused.empty()
