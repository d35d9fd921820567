from uuid import UUID

import psycopg
import pytest

from integrations.events.normalise import event_key
from integrations.postgres import schema
from integrations.postgres.schema import SCHEMAS, create_database, migrate
from tests.citus_keys import ALL_COLUMNS, TABLES, UNIQUE_KEYS, not_ready_for_shards, rows
from tests.integrations.postgres.processes import at_the_same_time

# Tables without company_id in their keys, and why that is right.
EXEMPT = {
    "raw.loads": "operators' book of files; a file belongs to no company",
    "raw.rejected_events": "operators' table; a refused line may name no known company",
    "raw.held_events": "operators' waiting room, read by load only",
    "raw.archived_dates": "operators' book of files; a usage date belongs to no company",
    "raw.company_ids": "reference: it gives a company its id",
    "raw.plans": "reference: the price list is everybody's",
    "raw.holidays": "reference: a country's calendar is everybody's",
    "raw.kpis": "reference: figures about the business as a whole",
    "billing.closed_periods": "operators' book of invoices that are closed; a period is closed for all companies",
    "ml.forecast_accuracy": "figures about models on segments of companies",
    "ml.forecast_models": "models that were learned from many companies",
    "ml.choice_policies": "figures about ways of choosing among plans, learned from many companies",
    "ml.recommendation_reliability": "figures about the probabilities told to many companies",
    "ml.replay_contents": "reference: models and catalogues from which recommendations of many companies were computed",
    "ml.peer_benchmarks": "figures about groups of companies, of which none can be told apart",
    "ml.pricing_experiments": "operators' book of experiments, which compare companies and belong to none",
    "ml.experiment_looks": "operators' book; a look is over all companies of an experiment",
    "messaging.operator_alerts": "operators' outbox; a run or a load belongs to no company",
}
# Triggers on tenant tables, and why they may be there. They read and write rows of their own company alone, which Citus
# can do on distributed tables (citus.enable_unsafe_triggers).
GUARDS = {
    "ml.pricing_recommendations: trigger records_creation": "no recommendation begins without an entry in the audit",
    "ml.pricing_recommendations: trigger records_transition": "no status changes without an entry in the audit",
    "ml.recommendation_transitions: trigger keeps_rows": "an audit is only added to",
    "ml.recommendation_transitions: trigger keeps_out": "an audit is not written by hand",
}
TENANT_SCHEMAS = ["raw", "ml", "billing", "messaging"]


def test_every_key_of_a_tenant_table_holds_the_company(connection):
    assert len(rows(connection, UNIQUE_KEYS, TENANT_SCHEMAS)) > 15
    assert not_ready_for_shards(connection, TENANT_SCHEMAS, EXEMPT) == set(GUARDS)


@pytest.mark.parametrize(
    "columns",
    [
        "id bigint primary key, company_id bigint not null",
        "company_id bigint not null, name text unique",
        "company_id bigint not null, name text, exclude using btree (name with =)",
        "company_id bigint primary key, load_id bigint, branch_id bigint, "
        "foreign key (load_id) references ml.other (id)",
        "company_id bigint",
        "company_id integer not null",
        "name text",
    ],
)
def test_a_key_without_the_company_is_found(connection, columns):
    connection.execute("create table ml.other (id bigint primary key, company_id bigint)")
    before = not_ready_for_shards(connection, TENANT_SCHEMAS, EXEMPT)
    connection.execute(f"create table ml.wrong ({columns})".encode())
    assert {fault.partition(":")[0] for fault in not_ready_for_shards(connection, TENANT_SCHEMAS, EXEMPT) - before} == {
        "ml.wrong"
    }


def test_a_trigger_on_a_tenant_table_is_found(connection):
    connection.execute(
        "create trigger quiet before update on ml.usage_patterns for each row"
        " execute function suppress_redundant_updates_trigger()"
    )
    found = not_ready_for_shards(connection, TENANT_SCHEMAS, EXEMPT)
    assert found - set(GUARDS) == {"ml.usage_patterns: trigger quiet"}
    connection.execute("drop trigger quiet on ml.usage_patterns")


def test_every_exemption_is_needed(connection):
    assert {name for _, name in rows(connection, TABLES, TENANT_SCHEMAS)} >= set(EXEMPT)
    keyed_otherwise = {
        name for name, _, columns in rows(connection, UNIQUE_KEYS, TENANT_SCHEMAS) if "company_id" not in columns
    }
    assert keyed_otherwise == set(EXEMPT)


def test_an_event_is_unique_by_company_source_and_id_alone(connection):
    keys = [
        sorted(columns)
        for name, _, columns in rows(connection, UNIQUE_KEYS, TENANT_SCHEMAS)
        if name == "raw.event_keys"
    ]
    assert keys == [["company_id", "event_key"]]


@pytest.mark.parametrize(
    ("source", "event_id"), [("/phone", "c-81"), ("/ünï", "€\u2028\U0001f600"), ("a\\0b", "\\x00")]
)
def test_the_database_computes_the_same_key_as_the_loader(connection, source, event_id):
    assert connection.execute("select raw.event_key(%s, %s)", [source, event_id]).fetchone() == (
        UUID(event_key(source, event_id)),
    )


def test_source_and_id_are_kept_apart_in_a_key():
    assert event_key("ab", "c") != event_key("a", "bc")


def test_keys_of_an_older_database_are_carried_over(server):
    url = server.url("migrated_in_steps")
    create_database(url)
    migrate(url, "0004")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table raw.day partition of raw.usage_events default")
        connection.execute(
            "insert into raw.usage_events (company_id, usage_date, local_minute, occurred_at, source, event_id,"
            " event_type, quantity, is_after_hours, is_local_time_shifted, load_id)"
            " values (3, '2026-10-05', 0, '2026-10-05Z', '/phone', 'c-81', 'call', 1, false, false, 9)"
        )
        connection.execute("insert into raw.event_keys values (3, '/phone', 'c-81', -42, 9)")
        migrate(url)
        kept = connection.execute(
            "select company_id, event_key, content_hash, load_id, line, usage_date::text from raw.event_keys"
        ).fetchall()
    assert kept == [(3, UUID(event_key("/phone", "c-81")), -42, 9, 0, "2026-10-05")]


def test_every_schema_exists(connection):
    found = connection.execute("select nspname from pg_namespace where nspname = any(%s)", [list(SCHEMAS)]).fetchall()
    assert {name for (name,) in found} == set(SCHEMAS)


def test_counts_that_do_not_add_up_are_refused_by_the_table_itself(connection):
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(
            "insert into raw.loads (feed, file_name, fingerprint, file_size, file_modified_at, status, received_at,"
            " count_read, count_inserted) values ('events', 'x', 'x', 1, now(), 'published', now(), 2, 1)"
        )


def test_migrating_again_changes_nothing(database_url, connection):
    connection.execute("insert into raw.company_ids (company_key) values ('acme')")
    before = (
        rows(connection, ALL_COLUMNS, TENANT_SCHEMAS),
        connection.execute("select * from ops.alembic_version").fetchall(),
    )
    migrate(database_url)
    after = (
        rows(connection, ALL_COLUMNS, TENANT_SCHEMAS),
        connection.execute("select * from ops.alembic_version").fetchall(),
    )
    assert after == before
    assert connection.execute("select count(*) from raw.company_ids").fetchone() == (1,)


def test_four_processes_may_create_and_migrate_at_once(server):
    url = server.url("migrated_by_four")

    def bring_up():
        create_database(url)
        migrate(url)

    at_the_same_time(*[bring_up] * 4)
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from ops.alembic_version").fetchone() == (1,)
        assert connection.execute("select count(*) from ops.settings").fetchone() == (1,)


def test_creating_a_database_that_exists_keeps_its_content(database_url, connection):
    connection.execute("insert into raw.company_ids (company_key) values ('acme')")
    create_database(database_url)
    assert connection.execute("select count(*) from raw.company_ids").fetchone() == (1,)


def test_a_database_may_have_a_name_that_needs_quotes(server):
    url = server.url("it%22s%20a%20name")
    create_database(url)
    create_database(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("select current_database()").fetchone() == ('it"s a name',)


def test_a_checkout_with_a_percent_sign_in_its_path_migrates(server, tmp_path, monkeypatch):
    folder = tmp_path / "100%s checkout"
    folder.symlink_to(schema.Path(schema.__file__).parent)
    monkeypatch.setattr(schema, "__file__", str(folder / "schema.py"))
    url = server.url("percent")
    create_database(url)
    migrate(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("select to_regclass('raw.loads') is not null").fetchone() == (True,)


def test_a_migration_that_fails_leaves_nothing(server, monkeypatch):
    url = server.url("failed_migration")
    create_database(url)

    def fail(config, revision):
        config.attributes["connection"].exec_driver_sql("create table raw.half (id bigint)")
        raise RuntimeError("power cut")

    monkeypatch.setattr("alembic.command.upgrade", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        migrate(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("select to_regnamespace('raw')").fetchone() == (None,)
