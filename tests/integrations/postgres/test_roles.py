"""The readers' roles belong to the server, so each test here starts on one that has none."""

import time
from threading import Thread

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError

from integrations.postgres.schema import SCHEMAS, create_database, migrate

ROLES = ("bi_reader", "tenant")
BEFORE_ROLES = "0006"


@pytest.fixture(scope="module")
def bare_server(new_server):
    made = new_server("roles")
    made.start()
    return made


@pytest.fixture
def admin(bare_server):
    """A superuser's connection to a server without the roles."""
    with psycopg.connect(bare_server.url("postgres"), autocommit=True) as connection:
        yield connection
        for name in ("first", "second"):
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        connection.execute("drop role if exists bi_reader, tenant, deployer")


@pytest.fixture
def deployer(bare_server, admin):
    """The URL of a database whose owner is no superuser, and may create roles or not."""

    def make(right: str) -> str:
        admin.execute(f"create role deployer login password 'secret' {right}".encode())
        admin.execute("create database first owner deployer")
        url = make_url(bare_server.url("first")).set(username="deployer", password="secret")
        return url.render_as_string(hide_password=False)

    return make


def roles(connection):
    found = connection.execute("select rolname, rolcanlogin from pg_roles where rolname = any(%s)", [list(ROLES)])
    return sorted(found.fetchall())


def open_schemas(connection, role):
    found = connection.execute(
        "select nspname from pg_namespace where nspname = any(%s) and has_schema_privilege(%s, oid, 'usage, create')",
        [list(SCHEMAS), role],
    )
    return [name for (name,) in found]


def test_a_role_that_another_database_is_creating_at_this_moment_is_taken_as_it_is(bare_server, admin):
    url = bare_server.url("first")
    create_database(url)
    with psycopg.connect(bare_server.url("postgres")) as other:
        other.execute("create role bi_reader nologin")
        migration = Thread(target=migrate, args=[url])
        migration.start()
        deadline = time.monotonic() + 30
        waiting = "select count(*) from pg_stat_activity where datname = 'first' and wait_event_type = 'Lock'"
        while admin.execute(waiting).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        other.commit()
        migration.join(30)
    with psycopg.connect(url) as connection:
        assert roles(connection) == [("bi_reader", False), ("tenant", False)]
        assert open_schemas(connection, "bi_reader") == ["marts"]


def test_the_second_database_of_a_server_finds_the_roles(bare_server, admin):
    for name in ("first", "second"):
        create_database(bare_server.url(name))
        migrate(bare_server.url(name))
        with psycopg.connect(bare_server.url(name)) as connection:
            assert [open_schemas(connection, role) for role in ROLES] == [["marts"], ["marts"]]


def test_whoever_may_create_roles_need_not_be_a_superuser(deployer, admin):
    migrate(deployer("createrole"))
    assert roles(admin) == [("bi_reader", False), ("tenant", False)]


def test_whoever_may_not_is_told_what_an_administrator_runs(deployer, admin):
    url = deployer("nocreaterole")
    with pytest.raises(ProgrammingError, match="The user deployer may not create the roles") as caught:
        migrate(url)
    for role in ROLES:
        statement = f"create role {role} nologin;"
        assert statement in str(caught.value.orig)
        admin.execute(statement.encode())
    migrate(url)
    with psycopg.connect(url) as connection:
        assert open_schemas(connection, "tenant") == ["marts"]


def test_what_was_open_before_is_closed(bare_server, admin):
    url = bare_server.url("first")
    create_database(url)
    migrate(url, BEFORE_ROLES)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create role bi_reader nologin")
        connection.execute("grant all on schema raw, marts to bi_reader")
        connection.execute("grant usage on schema ml, marts to public")
        migrate(url)
        assert [open_schemas(connection, role) for role in ROLES] == [["marts"], ["marts"]]
        assert connection.execute("select has_schema_privilege('tenant', 'marts', 'create')").fetchone() == (False,)
        assert connection.execute("select has_schema_privilege('bi_reader', 'marts', 'create')").fetchone() == (False,)
