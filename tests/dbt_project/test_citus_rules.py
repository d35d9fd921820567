"""The way out of one machine stays open: tables and queries can be spread over several by company."""

import psycopg
import pytest

from integrations.postgres.schema import SCHEMAS
from orchestration import dbt
from orchestration.dbt_runner import invoke
from tests.citus_keys import not_ready_for_shards, tenant_tables
from tests.dbt_project.citus_queries import faults_of_query
from tests.dbt_project.conftest import BUILD

BUILT_SCHEMAS = ("marts", "intermediate")
# Models, or steps of them, that put companies together, and why that is right.
ACROSS_COMPANIES = {
    "fct_peer_benchmarks": "compares the companies of an industry, once a month",
    "fct_acceptance": "operators' figures about all recommendations",
    "fct_accepted_savings": "operators' figures about all recommendations",
    "fct_recommendation_regret": "operators' figures about all recommendations",
    "int_kpis_of_activations": "operators' figures about the business as a whole",
    "int_kpis_of_subscriptions": "operators' figures about the business as a whole",
    "int_kpis_of_usage": "operators' figures about the business as a whole",
    "int_revenue_monthly": "operators' figures about the business as a whole",
    "kpi_monthly": "operators' figures about the business as a whole",
    "int_report_months": "the months of operators' figures",
    "dim_dates": "the few countries of all companies",
}
# Marts without company_id, and why that is right.
EXEMPT = {
    "marts.billable_meters": "reference: what is counted is the same for everybody",
    "marts.dim_dates": "reference: a country's calendar is everybody's",
    "marts.dim_meters": "reference: what is counted is the same for everybody",
    "marts.dim_plans": "reference: the price list is everybody's",
    "marts.fct_acceptance": "operators' figures about all recommendations",
    "marts.fct_accepted_savings": "operators' figures about all recommendations",
    "marts.fct_kpis": "operators' figures about the business as a whole",
    "marts.kpi_monthly": "operators' figures about the business as a whole",
    "marts.kpi_definitions": "reference: what a figure means is the same for everybody",
    "marts.fct_recommendation_regret": "operators' figures about all recommendations",
    "marts.fct_peer_benchmarks": "reference: figures of no fewer than five companies, rounded",
    "marts.minutes_saved": "reference: what an event saves is the same for everybody",
    "marts.plans_history": "reference: the price list is everybody's",
}
TENANTS = {"raw.events", "marts.usage", "marts.other"}


@pytest.fixture(scope="module")
def queries(built_twice, local_folder):
    """The compiled SQL of every model, as its second build runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USAGE_PRICING_LOCAL", str(local_folder))
        # Without a selection dbt leaves ephemeral models out; with one it adds the tests of what is selected.
        results = invoke(["compile", "--select", "resource_type:model"], built_twice.url, BUILD)
    nodes = [result.node for result in results]
    return {node.name: node.compiled_code for node in nodes if str(node.resource_type) == "model"}


@pytest.fixture(scope="module")
def nodes(local_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USAGE_PRICING_LOCAL", str(local_folder))
        return dbt.manifest()


@pytest.fixture(scope="module")
def faults(queries, built_twice):
    with psycopg.connect(built_twice.url) as connection:
        tenants = tenant_tables(connection, SCHEMAS)
    return {fault for model, query in queries.items() for fault in faults_of_query(model, query, tenants)}


def exception(fault):
    """The name under which a fault is excused, if it is."""
    place, _, kind = fault.partition(": ")
    names = [name for name in (place, place.partition(".")[0]) if name in ACROSS_COMPANIES]
    return names[0] if names and "leaves out company_id" in kind else None


def test_every_model_was_looked_at(queries, nodes):
    models = {node["name"] for node in nodes["nodes"].values() if node["resource_type"] == "model"}
    assert set(queries) == models
    assert len(models) > 15


def test_every_key_of_a_built_table_holds_the_company(built_twice):
    with psycopg.connect(built_twice.url) as connection:
        assert len(tenant_tables(connection, BUILT_SCHEMAS)) >= 9
        assert not_ready_for_shards(connection, BUILT_SCHEMAS, EXEMPT) == set()


def test_a_built_table_without_the_company_in_its_key_is_found(built_twice):
    with psycopg.connect(built_twice.url) as connection, connection.transaction(force_rollback=True):
        connection.execute("create table marts.wrong (company_id bigint not null, usage_date date primary key)")
        found = not_ready_for_shards(connection, BUILT_SCHEMAS, EXEMPT)
    assert found == {"marts.wrong: marts.wrong_pkey"}


def test_every_query_keeps_companies_apart(faults):
    assert {fault for fault in faults if not exception(fault)} == set()


def test_every_exception_is_needed(faults, queries):
    written = {name for name in ACROSS_COMPANIES if name.partition(".")[0] in queries}
    assert {exception(fault) for fault in faults} - {None} == written


def test_models_are_built_by_our_own_materialization_and_nothing_merges(nodes):
    assert "macro.usage_pricing.materialization_incremental_postgres" in nodes["macros"]
    built = [node for node in nodes["nodes"].values() if node["resource_type"] in ("model", "snapshot")]
    assert {node["config"]["materialized"] for node in built} <= {"incremental", "table", "view", "ephemeral"}
    assert {node["config"].get("incremental_strategy") for node in built} == {None}


@pytest.mark.parametrize(
    "query",
    [
        "select company_id, sum(n) from raw.events group by company_id, day",
        "select company_id, day, sum(n) from raw.events group by 1, 2",
        "select day, count(*) from marts.meters group by day",
        "select distinct on (company_id, day) * from raw.events",
        "select distinct company_id, day from raw.events",
        "select distinct * from raw.events",
        "select sum(n) over days from raw.events window days as (partition by company_id order by day)",
        "select * from raw.events as e inner join marts.usage as u on e.company_id = u.company_id and e.day = u.day",
        "select * from raw.events as e left join marts.usage as u using (company_id, day)",
        "select * from raw.events as e, marts.usage as u where u.company_id = e.company_id",
        "select * from raw.events as e inner join marts.meters as m on e.meter = m.meter",
        "select * from raw.events as e cross join generate_series(1, 9) as n",
        "with e as (select * from raw.events), n as (select max(day) as day from e) select * from e cross join n",
        "select * from raw.events where company_id in (select company_id from marts.usage)",
        "select * from raw.events where (company_id, day) not in (select company_id, day from marts.usage)",
        "select * from raw.events as e where not exists"
        " (select from marts.usage as u where u.company_id = e.company_id and (u.n > 1 or u.n < 0))",
        "select * from raw.events as e cross join lateral"
        " (select u.n from marts.usage as u where u.company_id = e.company_id limit 1) as last",
        "select company_id from raw.events union select company_id from marts.usage",
        "select day from raw.events union all select day from marts.usage",
    ],
)
def test_a_query_that_keeps_companies_apart_has_no_fault(query):
    assert faults_of_query("model", query, TENANTS) == set()


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("select day, sum(n) from raw.events group by day", "GROUP BY leaves out company_id"),
        ("select day, company_id from raw.events group by 1", "GROUP BY leaves out company_id"),
        ("with e as (select * from raw.events) select max(n) from e group by day", "GROUP BY leaves out company_id"),
        ("select sum(n) from raw.events group by grouping sets ((company_id), ())", "GROUPING SETS, ROLLUP or CUBE"),
        ("select sum(n) from raw.events group by rollup (company_id, day)", "GROUPING SETS, ROLLUP or CUBE"),
        ("select sum(n) from raw.events group by company_id, cube (day, hour)", "GROUPING SETS, ROLLUP or CUBE"),
        ("select distinct on (day) * from raw.events", "DISTINCT ON leaves out company_id"),
        ("select distinct day from raw.events", "DISTINCT leaves out company_id"),
        ("select sum(n) over (partition by day) from raw.events", "a window's PARTITION BY leaves out company_id"),
        ("select row_number() over () from raw.events", "a window's PARTITION BY leaves out company_id"),
        (
            "select sum(n) over days from raw.events window days as (partition by day)",
            "a window's PARTITION BY leaves out company_id",
        ),
        ("select * from raw.events as e join marts.usage as u on e.day = u.day", "the join of u is not on company_id"),
        ("select * from raw.events as e join marts.usage as u using (day)", "the join of u is not on company_id"),
        ("select * from raw.events as e cross join marts.usage as u", "the join of u is not on company_id"),
        (
            "select * from raw.events as e join marts.usage as u on e.company_id = u.company_id or u.n is null",
            "the join of u is not on company_id",
        ),
        (
            "select * from raw.events as e left join marts.usage as u on true where e.company_id = u.company_id",
            "the join of u is not on company_id",
        ),
        (
            "select * from raw.events as e join marts.usage as u on e.company_id = u.company_id"
            " join marts.other as o on o.day = u.day",
            "the join of o is not on company_id",
        ),
        (
            "with e as (select e.*, 1 as one from raw.events as e), u as (select company_id, day from marts.usage)"
            " select * from e join (select * from u) as s on e.day = s.day",
            "the join of s is not on company_id",
        ),
        (
            "select * from raw.events where day in (select day from marts.usage)",
            "the subquery over usage is not on company_id",
        ),
        (
            "select * from raw.events as e where exists (select from marts.usage as u where u.day = e.day)",
            "the subquery over u is not on company_id",
        ),
        (
            "select (select max(u.n) from marts.usage as u where u.day = e.day) from raw.events as e",
            "the subquery over u is not on company_id",
        ),
        (
            "select * from raw.events as e cross join lateral"
            " (select u.n from marts.usage as u where u.day = e.day) as last",
            "the subquery over u is not on company_id",
        ),
        ("select day from raw.events union select day from marts.usage", "UNION leaves out company_id"),
    ],
)
def test_a_query_that_puts_companies_together_is_found(query, fault):
    assert {found.partition(": ")[2] for found in faults_of_query("model", query, TENANTS)} == {fault}


def test_a_merge_is_found():
    merge = "merge into marts.usage as u using raw.events as e on u.company_id = e.company_id when matched then delete"
    assert faults_of_query("model", merge, TENANTS) == {"model: merges"}


def test_a_fault_is_named_after_the_step_and_the_ephemeral_model_that_it_comes_from():
    inner = "with days as (select day from raw.events group by day) select * from days"
    query = f"with __dbt__cte__int_days as ({inner}), own as (select distinct day from raw.events) select * from own"
    assert faults_of_query("fct_days", query, TENANTS) == {
        "int_days.days: GROUP BY leaves out company_id",
        "fct_days.own: DISTINCT leaves out company_id",
    }
