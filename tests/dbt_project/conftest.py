"""A world of two companies in which every model and seed was built twice; tests only look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from integrations.events.landing import landing_files, load_file, pending_files
from orchestration.catalogue import PRICES
from orchestration.dbt_runner import invoke
from tests.feeds import PLANS, company, event, lines, subscription

NOW = datetime(2026, 10, 5, 6, tzinfo=UTC)
BUILD = {
    "USAGE_WINDOW_START": "2026-10-01",
    "USAGE_WINDOW_END": "2026-10-03",
    "USAGE_KNOWN_AT": NOW.isoformat(),
}
KEYS = ("acme", "bolt")
OIDS = "select relname, oid from pg_class where relnamespace = 'marts'::regnamespace and relkind = 'r'"


@dataclass(frozen=True)
class BuiltWorld:
    """Where it is, the ids of its companies, and which tables there were after the first build."""

    url: str
    companies: tuple[int, int]
    first_tables: dict[str, int]


def events(key: str) -> list[dict]:
    return [
        event("1", "2026-10-01T09:00:00+02:00", key),
        event("2", "2026-10-02T22:00:00+02:00", key, customer="c-2", outcome="failure"),
        event("3", "2026-10-01T10:00:00+02:00", key, type="appointment", revenue=80.5, currency="EUR"),
        event("4", "2026-10-01T11:00:00+02:00", key, type="storage", quantity=40),
    ]


@pytest.fixture(scope="session")
def built_twice(server, template, local_folder: Path, tmp_path_factory) -> Iterator[BuiltWorld]:
    landing = tmp_path_factory.mktemp("two_companies")
    for feed, name, content in (
        ("companies", "companies.ndjson", lines(*map(company, KEYS))),
        ("plans", "plans.yaml", PLANS),
        ("subscriptions", "subscriptions.ndjson", lines(*map(subscription, KEYS))),
        ("events", "events.ndjson", lines(*(line for key in KEYS for line in events(key)))),
    ):
        (landing / feed).mkdir()
        (landing / feed / name).write_text(content)
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"create database two_companies template {template} strategy wal_log".encode())
        url = server.url("two_companies")
        with psycopg.connect(url, autocommit=True) as connection, pytest.MonkeyPatch.context() as patch:
            patch.setenv("USAGE_PRICING_LOCAL", str(local_folder))
            for file in pending_files(connection, landing_files(landing)):
                load_file(connection, file, NOW, PRICES)
            build_everything(url)
            tables = dict(connection.execute(OIDS).fetchall())
            build_everything(url)
            ids = connection.execute("select company_id from raw.company_ids order by company_key").fetchall()
        yield BuiltWorld(url, tuple(id for (id,) in ids), tables)
        admin.execute("drop database two_companies with (force)")


@pytest.fixture(scope="module")
def session(built_twice: BuiltWorld) -> Iterator[psycopg.Connection]:
    """A connection of the owner."""
    with psycopg.connect(built_twice.url, autocommit=True) as connection:
        yield connection


def build_everything(url: str) -> None:
    results = invoke(["build", "--resource-type", "seed", "--resource-type", "model"], url, BUILD)
    assert results
    assert {str(result.status) for result in results} == {"success"}, [result.message for result in results]
