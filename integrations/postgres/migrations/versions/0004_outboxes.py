"""Schemas billing and messaging: what is owed, and what leaves the building."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS: tuple[str, ...] = (
    """
    create table billing.rated_usage (
        company_id bigint not null,
        line_id text not null,
        usage_period date not null,
        invoice_period date not null,
        plan_key text not null,
        plan_version integer not null,
        charge text not null,
        meter text,
        usage_date date not null,
        seq integer not null,
        quantity bigint not null,
        amount numeric(20, 6) not null,
        currency char(3) not null,
        rated_at timestamptz not null,
        primary key (company_id, line_id)
    )
    """,
    "comment on table billing.rated_usage is 'One row per booked line; append-only: a correction is a new line.'",
    """
    create table billing.meter_events (
        company_id bigint not null,
        destination text not null,
        meter_event_key text not null,
        meter text not null,
        usage_date date not null,
        seq integer not null,
        quantity bigint not null,
        body jsonb not null,
        state text not null check (state in ('planned', 'sending', 'dry_run', 'accepted', 'rejected', 'verify')),
        detail text,
        planned_at timestamptz not null,
        first_sent_at timestamptz,
        finished_at timestamptz,
        primary key (company_id, destination, meter_event_key)
    )
    """,
    """
    create table messaging.notifications (
        company_id bigint not null,
        destination text not null,
        notification_key text not null,
        kind text not null,
        locale text not null,
        recipient text,
        payload jsonb not null,
        subject text,
        state text not null
            check (state in ('planned', 'sending', 'dry_run', 'accepted', 'failed', 'unknown', 'suppressed')),
        detail text,
        planned_at timestamptz not null,
        first_tried_at timestamptz,
        finished_at timestamptz,
        primary key (company_id, destination, notification_key)
    )
    """,
)


def upgrade() -> None:
    """Create the ledger and the two outboxes."""
    for statement in STATEMENTS:
        op.execute(statement)
