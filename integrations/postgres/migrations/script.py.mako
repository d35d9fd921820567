"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}

STATEMENTS: tuple[str, ...] = ()


def upgrade() -> None:
    """Apply."""
    for statement in STATEMENTS:
        op.execute(statement)
