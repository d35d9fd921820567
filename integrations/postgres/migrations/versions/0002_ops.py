"""Schema ops: what must be rebuilt, what was tried, and the settings that belong to this database's world."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS: tuple[str, ...] = (
    """
    create table ops.usage_date_state (
        usage_date date primary key,
        dirty_version bigint not null,
        built_version bigint not null default 0,
        check (built_version <= dirty_version)
    )
    """,
    "comment on table ops.usage_date_state is 'One row per usage date: rebuilt when its two versions differ.'",
    """
    create table ops.run_attempts (
        sensor text not null,
        due_key text not null,
        attempts integer not null,
        last_attempt_at timestamptz not null,
        primary key (sensor, due_key)
    )
    """,
    "create table ops.settings (name text primary key, value text not null)",
    "insert into ops.settings (name, value) values ('go_live_date', to_char(now() at time zone 'UTC', 'YYYY-MM-DD'))",
)


def upgrade() -> None:
    """Create the operators' tables; the go-live date starts as the day of installation, so nobody older is mailed."""
    for statement in STATEMENTS:
        op.execute(statement)
