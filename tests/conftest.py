"""What all tests share: one embedded server per session, and a fresh, migrated database per test that asks for it."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrations.postgres.schema import create_database, migrate
from integrations.postgres.server import EmbeddedServer
from orchestration import dbt

# Real inputs may be old; the partitions are defined when the definitions are first imported.
os.environ["FIRST_USAGE_DATE"] = "1999-01-01"
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "true"
FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
NUMBERS = count(1)

# Workers of parallel runs say that they are 80 wide; consoles made then would stay so, whatever a test asks for.
for size in ("COLUMNS", "LINES"):
    os.environ.pop(size, None)


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    """A folder for servers that an unprivileged user may enter, whoever runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="usage-pricing-tests-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[EmbeddedServer]:
    """A running server without any care for durability."""
    server = EmbeddedServer(server_home / "shared", FAST)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """The name of a migrated database from which others are copied."""
    url = server.url("template_migrated")
    create_database(url)
    migrate(url)
    return "template_migrated"


@contextmanager
def new_database(server: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a migrated database that is dropped at the end."""
    name = f"test_{next(NUMBERS)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"create database {name} template {template} strategy wal_log".encode())
        yield server.url(name)
        admin.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def database_url(server: EmbeddedServer, template: str) -> Iterator[str]:
    """A database of the test's own, with the whole schema."""
    with new_database(server, template) as url:
        yield url


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """An open connection to the test's database, in autocommit."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def local_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What runs leave behind, with the dbt project parsed: by the first of all processes, whose result others copy."""
    folder = tmp_path_factory.mktemp("local")
    common = tmp_path_factory.getbasetemp()
    common = common.parent if "PYTEST_XDIST_WORKER" in os.environ else common
    with open(common / "parsed.lock", "w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (common / "parsed").exists():
            patch.setenv("USAGE_PRICING_LOCAL", str(common / "parsed"))
            dbt.manifest()
    shutil.copytree(common / "parsed", folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def pipeline(database_url: str, local_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The whole pipeline on a database and folders of the test's own."""
    return open_pipeline(database_url, local_folder, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def module_pipeline(
    server: EmbeddedServer, template: str, local_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """The whole pipeline, shared by the tests of a module that only look at what was built once."""
    with new_database(server, template) as url, pytest.MonkeyPatch.context() as patch:
        yield open_pipeline(url, local_folder, tmp_path_factory.mktemp("module"), patch)


def open_pipeline(url: str, local_folder: Path, folder: Path, patch: pytest.MonkeyPatch):
    """A pipeline whose landing zone, outbox and archive lie in `folder`."""
    from tests.pipelines import Pipeline

    landing, outbox = folder / "landing", folder / "outbox"
    landing.mkdir()
    for name, value in {
        "DATABASE_URL": url,
        "USAGE_PRICING_LOCAL": str(local_folder),
        "LANDING_FOLDER": str(landing),
        "OUTBOX_FOLDER": str(outbox),
        "ARCHIVE_URL": str(folder / "archive"),
    }.items():
        patch.setenv(name, value)
    return Pipeline(url, landing, outbox)
