"""Roles: BI tools and tenants read the marts, and nothing else."""

from alembic import op

revision = "0008"
down_revision = "0007"

# Roles belong to the server: another of its databases may create them at the same moment.
CREATE_ROLE = """
    do $$
    begin
        if not exists (select from pg_roles where rolname = '{role}') then
            create role {role} nologin;
        end if;
    exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
            raise insufficient_privilege using message = 'The user ' || current_user || ' may not create the roles that'
                || ' read the marts. Let an administrator of the server run these two statements, then migrate again:'
                || ' create role bi_reader nologin; create role tenant nologin;';
    end
    $$
"""

STATEMENTS: tuple[str, ...] = (
    *(CREATE_ROLE.format(role=role) for role in ("bi_reader", "tenant")),
    "revoke all on schema raw, staging, intermediate, marts, ml, billing, messaging, ops"
    " from public, bi_reader, tenant",
    "grant usage on schema marts to bi_reader, tenant",
)


def upgrade() -> None:
    """Create the two groups of readers, and close every schema but the marts to them and to everybody."""
    for statement in STATEMENTS:
        op.execute(statement)
