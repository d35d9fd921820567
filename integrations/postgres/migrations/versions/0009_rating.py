"""The full rating engine: what a subscription adds to its plan, lines that can be traced, periods that are closed."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS: tuple[str, ...] = (
    """
    alter table raw.subscriptions
        add column billing_interval text not null default 'month' check (billing_interval in ('month', 'year')),
        add column add_ons jsonb not null default '{}',
        add column overrides jsonb not null default '{}'
    """,
    """
    alter table billing.rated_usage
        alter column quantity type numeric(20, 6),
        add column terms_key text not null default '',
        add column unit text not null default 'unit',
        add column tier integer,
        add column unit_price numeric(20, 10),
        add column detail jsonb not null default '[]',
        add column corrects text
    """,
    "update billing.rated_usage set terms_key = plan_key || '\\:v' || plan_version",
    "comment on column billing.rated_usage.terms_key is 'Its terms: plan, version, and a hash of the company''s own'",
    "comment on column billing.rated_usage.detail is 'Its parts: quantity, unit price, per, flat fee, tier and kind'",
    "comment on column billing.rated_usage.corrects is 'The line of a closed period that this one corrects'",
    """
    create table billing.rated_periods (
        company_id bigint not null,
        usage_period date not null,
        usage_signature text not null,
        terms_signature text not null,
        rated_at timestamptz not null,
        primary key (company_id, usage_period)
    )
    """,
    "comment on table billing.rated_periods is"
    " 'One row per company and usage period: what its lines were rated from. It is due when that has changed.'",
    """
    create table billing.allowances (
        company_id bigint not null,
        usage_period date not null,
        meter text not null,
        included_quantity numeric(20, 6),
        limit_quantity numeric(20, 6),
        on_breach text check (on_breach in ('warn', 'block')),
        primary key (company_id, usage_period, meter)
    )
    """,
    "comment on table billing.allowances is"
    " 'One row per company, usage period and meter: what its terms include and allow, in units of the meter.'",
    """
    create table billing.closed_periods (
        usage_period date primary key check (extract(day from usage_period) = 1),
        closed_at timestamptz not null,
        watermark timestamptz not null,
        actor text not null,
        count_lines bigint not null,
        totals jsonb not null
    )
    """,
    "comment on table billing.closed_periods is"
    " 'One row per frozen period: no line is added to its invoices; what is found later goes to the first open one.'",
    """
    create table ops.audit_log (
        audit_id bigint generated always as identity primary key,
        at timestamptz not null,
        actor text not null,
        action text not null,
        subject text not null,
        detail jsonb not null
    )
    """,
    "comment on table ops.audit_log is 'One row per act of a person that changes what is owed; append-only.'",
    # dbt makes it anew with the columns that have come since; a list that is there it only fills.
    "drop table if exists marts.billable_meters cascade",
    "alter table ops.usage_date_state add column rated_version bigint not null default 0",
)


def upgrade() -> None:
    """Add the columns and tables; lines that are booked stay as they are."""
    for statement in STATEMENTS:
        op.execute(statement)
