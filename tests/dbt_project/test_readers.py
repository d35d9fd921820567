"""To whom each mart is open, by the catalogue: a mart that somebody adds is held to it as well."""

import pytest

from orchestration import dbt
from orchestration.dbt_runner import invoke
from tests.dbt_project.readers import faults_of_marts

GRANT = "grant select on marts.new to bi_reader, tenant"
MART = (
    "create table marts.new (company_id bigint)",
    GRANT,
    "alter table marts.new enable row level security",
    "create policy bi_reader on marts.new for select to bi_reader using (true)",
    "create policy tenant on marts.new for select to tenant"
    " using (company_id = nullif(current_setting('app.company_id', true), '')::bigint)",
)


@pytest.fixture(scope="module")
def shared_marts(local_folder):
    """Marts without company_id of which somebody said that all tenants may read them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USAGE_PRICING_LOCAL", str(local_folder))
        nodes = dbt.manifest()["nodes"].values()
    return {node["name"] for node in nodes if node["config"].get("meta", {}).get("is_for_all_tenants")}


def test_marts_are_open_to_their_readers_row_by_row_and_to_nobody_else(session, shared_marts):
    assert faults_of_marts(session, shared_marts) == set()


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["create table marts.new (company_id bigint)"], "is closed to BI tools"),
        (
            ["create table marts.new (kpi text)", GRANT],
            "has no company_id, and nobody said that all tenants may read it",
        ),
        (["create table marts.new (company_id bigint)", GRANT], "does not keep companies apart"),
        ([*MART, "alter table marts.new disable row level security"], "does not keep companies apart"),
        ([*MART, "drop policy tenant on marts.new"], "does not keep companies apart"),
        ([*MART, "alter policy tenant on marts.new using (true)"], "does not keep companies apart"),
        ([*MART, "create policy more on marts.new to tenant using (true)"], "does not keep companies apart"),
        ([*MART, "revoke select on marts.new from tenant"], "is closed to tenants, though it holds their rows"),
        ([*MART, "grant insert on marts.new to tenant"], "is open to others or to more than reading"),
        ([*MART, "grant select on marts.new to public"], "is open to others or to more than reading"),
        ([*MART, "alter table marts.new owner to bi_reader"], "belongs to bi_reader"),
        (
            ["create view marts.new as select company_id from marts.dim_companies", GRANT],
            "reads with the rights of its owner",
        ),
        (["create materialized view marts.new as select 1 as one", GRANT], "is neither a table nor a view"),
    ],
)
def test_a_mart_that_is_open_in_another_way_is_found(session, shared_marts, statements, fault):
    with session.transaction(force_rollback=True):
        for statement in statements:
            session.execute(statement)
        assert f"new: {fault}" in faults_of_marts(session, shared_marts)


def test_a_mart_that_is_right_has_no_fault(session, shared_marts):
    with session.transaction(force_rollback=True):
        for statement in MART:
            session.execute(statement)
        assert faults_of_marts(session, shared_marts) == set()


def test_a_mart_without_company_id_is_for_all_tenants_only_if_it_says_so(built_twice, local_folder, monkeypatch):
    monkeypatch.setenv("USAGE_PRICING_LOCAL", str(local_folder))
    everybody, operators = "{'select': ['bi_reader', 'tenant']}", "{'select': ['bi_reader']}"
    calls = (f"{everybody}, {{}}", f"{everybody}, {{'is_for_all_tenants': true}}", f"{operators}, {{}}")
    model = " ".join(f"{{{{ is_open_by_oversight({arguments}) }}}}" for arguments in calls)
    (result,) = invoke(["compile", "--inline", model], built_twice.url)
    assert result.node.compiled_code.split() == ["True", "False", "False"]
