from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from integrations.events.feeds import load_feed
from integrations.events.loader import load_events
from tests.feeds import company, lines
from tests.integrations.postgres.reused import ReusedDatabase

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write rows as NDJSON, or text or bytes as they are, into a file of this name."""

    def to_file(name: str, *content) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = [part if isinstance(part, str | bytes) else lines(part) for part in content]
        path.write_bytes(b"".join(part.encode() if isinstance(part, str) else part for part in parts))
        return path

    return to_file


@pytest.fixture
def known(connection, write):
    """A database that knows two companies, in Berlin and in New York, and a branch of the first."""
    york = company("york", time_zone="America/New_York", currency="USD", country="US")
    load_feed(connection, "companies", write("known/companies.ndjson", company(), york), NOW)
    branch = {"company": "acme", "branch": "main", "name": "Main", "valid_from": "2026-10-01T00:00:00Z"}
    load_feed(connection, "branches", write("known/branches.ndjson", branch), NOW)
    return connection


@pytest.fixture
def load(known) -> Callable[..., object]:
    """Load a file of events."""
    return lambda path, **options: load_events(known, path, options.pop("now", NOW), **options)


@pytest.fixture
def stored(known):
    """What the warehouse holds of events: (event_id, quantity or duration), in order of the ids."""
    query = "select event_id, duration_seconds from raw.usage_events order by event_id, duration_seconds"
    return lambda: known.execute(query).fetchall()


@pytest.fixture
def rejected(known):
    """The quarantine: (file, line, reason, field), in order."""
    query = """
        select file_name, line, reason, field
        from raw.rejected_events join raw.loads using (load_id) order by load_id, line
    """
    return lambda: known.execute(query).fetchall()


@pytest.fixture(scope="session")
def reused(server, template) -> ReusedDatabase:
    """One database for all tests of this folder."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"create database reused_events template {template} strategy wal_log".encode())
    return ReusedDatabase(server.url("reused_events"))


@pytest.fixture
def database_url(reused: ReusedDatabase) -> Iterator[str]:
    """An empty, migrated database."""
    yield reused.url
    reused.empty()
