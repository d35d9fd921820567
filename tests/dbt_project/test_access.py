"""Who may read what: BI tools the marts, tenants their own rows of them, and nobody anything else."""

from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import (
    InsufficientPrivilege,
    InvalidTextRepresentation,
    ObjectNotInPrerequisiteState,
    WrongObjectType,
)
from sqlalchemy import make_url

from integrations.postgres.schema import SCHEMAS

RELATIONS = """
    select relations.relnamespace::regnamespace::text, relations.relname,
        exists (
            select from pg_attribute where attrelid = relations.oid and attname = 'company_id'
        ) as has_company
    from pg_class as relations
    where relations.relkind in ('r', 'p', 'v', 'm') and relations.relnamespace = any(%s::regnamespace[])
"""


@contextmanager
def acting_as(connection, role, company=None):
    """A transaction in a role, which names a company or none; it is undone."""
    with connection.transaction(force_rollback=True):
        connection.execute(f"set local role {role}".encode())
        if company is not None:
            connection.execute(sql.SQL("set local app.company_id = {}").format(sql.Literal(str(company))))
        yield


def relations(connection, *schemas):
    found = connection.execute(RELATIONS, [list(schemas)]).fetchall()
    assert found
    return [(sql.Identifier(schema, name), has_company) for schema, name, has_company in found]


def tenant_marts(connection):
    return [name for name, has_company in relations(connection, "marts") if has_company]


def companies_in(connection, table):
    found = connection.execute(sql.SQL("select distinct company_id from {}").format(table)).fetchall()
    return {company for (company,) in found}


# Nobody can write to a view that adds up, or drop it as a table.
OF_VIEWS = (ObjectNotInPrerequisiteState, WrongObjectType)


def is_refused(connection, statement):
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except (InsufficientPrivilege, *OF_VIEWS):
        return True
    return False


@pytest.mark.parametrize("role", ["bi_reader", "tenant"])
def test_whatever_lies_outside_of_the_marts_is_refused(session, role):
    others = relations(session, *(schema for schema in SCHEMAS if schema not in ("marts", "staging")))
    assert len(others) > 30
    with acting_as(session, role):
        open_tables = [
            name.as_string(session)
            for name, _ in others
            if not is_refused(session, sql.SQL("select * from {} limit 0").format(name))
        ]
    assert open_tables == []


def test_a_bi_tool_reads_every_row_of_every_mart(session):
    marts = [name for name, _ in relations(session, "marts")]
    count = sql.SQL("select count(*) from {}")
    expected = [session.execute(count.format(name)).fetchone() for name in marts]
    with acting_as(session, "bi_reader"):
        assert [session.execute(count.format(name)).fetchone() for name in marts] == expected
    assert len(marts) >= 8


@pytest.mark.parametrize("role", ["bi_reader", "tenant"])
@pytest.mark.parametrize("change", ["insert into {} default values", "delete from {}", "truncate {}", "drop table {}"])
def test_readers_write_nothing(session, role, change):
    marts = relations(session, "marts")
    with acting_as(session, role):
        assert all(is_refused(session, sql.SQL(change).format(name)) for name, _ in marts)
        assert is_refused(session, "create table marts.own (company_id bigint)")
        assert is_refused(session, "create table public.own (company_id bigint)")


def test_a_tenant_reads_the_rows_of_the_company_that_it_names_and_no_others(session, built_twice):
    marts = tenant_marts(session)
    owned = [companies_in(session, name) for name in marts]
    assert sum(found == set(built_twice.companies) for found in owned) >= 7
    for company in built_twice.companies:
        with acting_as(session, "tenant", company):
            assert [companies_in(session, name) for name in marts] == [found & {company} for found in owned]


@pytest.mark.parametrize("company", [None, "", "0"])
def test_a_tenant_that_names_no_company_reads_no_rows(session, company):
    with acting_as(session, "tenant", company):
        assert [companies_in(session, name) for name in tenant_marts(session)] == [set()] * len(tenant_marts(session))


@pytest.mark.parametrize("company", ["acme", "1 or true", "1, 2", "null"])
def test_what_is_no_number_of_a_company_is_an_error(session, company):
    with acting_as(session, "tenant", company), pytest.raises(InvalidTextRepresentation):
        companies_in(session, sql.Identifier("marts", "dim_companies"))


def test_a_company_that_was_named_before_is_forgotten_with_its_transaction(session, built_twice):
    with acting_as(session, "tenant", built_twice.companies[0]):
        assert companies_in(session, sql.Identifier("marts", "dim_companies"))
    with acting_as(session, "tenant"):
        assert not companies_in(session, sql.Identifier("marts", "dim_companies"))


def test_a_tenant_can_not_switch_its_policies_off(session, built_twice):
    with acting_as(session, "tenant", built_twice.companies[0]):
        session.execute("set local row_security = off")
        with pytest.raises(InsufficientPrivilege):
            companies_in(session, sql.Identifier("marts", "fct_usage_daily"))


def test_a_view_shows_a_tenant_what_its_tables_do(session, built_twice):
    mine, _ = built_twice.companies
    with session.transaction(force_rollback=True):
        session.execute(
            "create view marts.calls with (security_invoker = true) as"
            " select company_id, total_calls from marts.fct_usage_daily"
        )
        session.execute("grant select on marts.calls to bi_reader, tenant")
        with acting_as(session, "tenant", mine):
            assert companies_in(session, sql.Identifier("marts", "calls")) == {mine}
        with acting_as(session, "bi_reader"):
            assert companies_in(session, sql.Identifier("marts", "calls")) == set(built_twice.companies)


def test_the_second_build_made_plain_tables_anew_and_kept_the_others(session, built_twice):
    oids = "select relname, oid from pg_class where relnamespace = 'marts'::regnamespace and relkind = 'r'"
    second = dict(session.execute(oids).fetchall())
    before = built_twice.first_tables
    assert second["dim_companies"] != before["dim_companies"]
    assert second["fct_usage_daily"] == before["fct_usage_daily"]


def test_there_was_no_moment_without_policies(session):
    """What one transaction made bears its number."""
    moments = session.execute(
        "select polrelid::regclass::text, policies.xmin = columns.xmin and relations.xmin = columns.xmin"
        " from pg_policy as policies inner join pg_class as relations on relations.oid = polrelid"
        " inner join pg_attribute as columns on columns.attrelid = polrelid and columns.attname = 'company_id'"
    ).fetchall()
    assert len(moments) >= 14
    assert [table for table, is_same in moments if not is_same] == []


def test_a_login_of_the_group_reads_the_marts_and_nothing_else(session, built_twice):
    session.execute("create role bi_tool login password 'secret' in role bi_reader")
    try:
        url = make_url(built_twice.url).set(username="bi_tool", password="secret")
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            assert companies_in(connection, sql.Identifier("marts", "fct_usage_daily")) == set(built_twice.companies)
            assert is_refused(connection, "select * from raw.usage_events")
    finally:
        session.execute("drop role bi_tool")
