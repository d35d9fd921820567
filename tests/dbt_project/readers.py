"""What the catalogue says of the readers of marts."""

from collections.abc import Collection

from psycopg import Connection

OWNER = "pipeline"
GRANTS = {"bi_reader": "SELECT", "tenant": "SELECT"}
POLICIES = {
    "bi_reader": ("r", True, ["bi_reader"], "true"),
    "tenant": (
        "r",
        True,
        ["tenant"],
        "(company_id = (NULLIF(current_setting('app.company_id'::text, true), ''::text))::bigint)",
    ),
}
MARTS = """
    select marts.oid, marts.relname, marts.relkind::text, marts.relowner::regrole::text, marts.relrowsecurity,
        coalesce('security_invoker=true' = any(marts.reloptions), false),
        exists (select from pg_attribute where attrelid = marts.oid and attname = 'company_id')
    from pg_class as marts
    where marts.relnamespace = 'marts'::regnamespace and marts.relkind not in ('i', 'I', 't', 'c')
"""
PRIVILEGES = """
    select case grantee when 0 then 'public' else grantee::regrole::text end, string_agg(privilege_type, ', ')
    from pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner)))
    where oid = %s and grantee <> relowner group by 1
"""
ROW_POLICIES = """
    select polname::text, polcmd::text, polpermissive, polroles::regrole[]::text[], pg_get_expr(polqual, polrelid)
    from pg_policy where polrelid = %s
"""


def faults_of_marts(connection: Connection, shared: Collection[str]) -> set[str]:
    """What is wrong with whom the marts are open to, as `mart: fault`.

    Args:
        shared: the marts without company_id that all tenants may read.
    """
    return {
        f"{name}: {fault}"
        for oid, name, *facts in connection.execute(MARTS).fetchall()
        for fault in _faults(*facts, _grants(connection, oid), _policies(connection, oid), name in shared)
    }


def _faults(kind, owner, is_secured, is_invoker, has_company, grants, policies, is_shared):
    tenants_read = "tenant" in grants
    if kind not in ("r", "p", "v"):
        yield "is neither a table nor a view"
    if owner != OWNER:
        yield f"belongs to {owner}"
    if "bi_reader" not in grants:
        yield "is closed to BI tools"
    if not grants.items() <= GRANTS.items():
        yield "is open to others or to more than reading"
    if has_company and not tenants_read:
        yield "is closed to tenants, though it holds their rows"
    if not has_company and tenants_read and not is_shared:
        yield "has no company_id, and nobody said that all tenants may read it"
    if kind == "v" and not is_invoker:
        yield "reads with the rights of its owner"
    if kind != "v" and has_company and not (is_secured and policies == POLICIES):
        yield "does not keep companies apart"


def _grants(connection: Connection, oid: int) -> dict[str, str]:
    return dict(connection.execute(PRIVILEGES, [oid]).fetchall())


def _policies(connection: Connection, oid: int) -> dict[str, tuple]:
    return {name: tuple(rest) for name, *rest in connection.execute(ROW_POLICIES, [oid]).fetchall()}
