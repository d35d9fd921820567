"""The operators' outbox: what somebody who runs the pipeline must know."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS: tuple[str, ...] = (
    """
    create table messaging.operator_alerts (
        destination text not null,
        alert_key text not null,
        rule text not null,
        severity text not null check (severity in ('info', 'warning', 'critical')),
        subject text not null,
        body text not null,
        raised_at timestamptz not null,
        state text not null check (state in ('planned', 'dry_run', 'accepted', 'failed')),
        detail text,
        primary key (destination, alert_key)
    )
    """,
    "comment on table messaging.operator_alerts is 'One row per destination and thing that operators must know.'",
)


def upgrade() -> None:
    """Create the operators' outbox."""
    for statement in STATEMENTS:
        op.execute(statement)
