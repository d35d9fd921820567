"""Schema raw: what came in, once and for ever, and what was refused."""

from alembic import op

revision = "0001"
down_revision = None

EVENT_COLUMNS = """
    company_id bigint not null,
    usage_date date not null,
    local_minute smallint not null,
    occurred_at timestamptz not null,
    source text not null,
    event_id text not null,
    event_type text not null,
    branch_id bigint not null default 0,
    customer text,
    quantity numeric(20, 6) not null,
    duration_seconds bigint,
    outcome text,
    service text,
    channel text,
    revenue numeric(20, 6),
    currency char(3),
    is_after_hours boolean not null,
    is_local_time_shifted boolean not null,
    properties jsonb,
    load_id bigint not null
"""

STATEMENTS: tuple[str, ...] = (
    """
    create table raw.loads (
        load_id bigint generated always as identity primary key,
        feed text not null,
        file_name text not null,
        fingerprint text not null,
        file_size bigint not null,
        file_modified_at timestamptz not null,
        status text not null check (status in ('published', 'held', 'discarded', 'failed')),
        count_read bigint not null default 0,
        count_inserted bigint not null default 0,
        count_duplicate bigint not null default 0,
        count_rejected bigint not null default 0,
        count_filtered bigint not null default 0,
        filtered_by jsonb not null default '{}',
        usage_dates date[] not null default '{}',
        message text,
        is_checked boolean not null default false,
        received_at timestamptz not null,
        unique (feed, file_name, fingerprint),
        check (count_read = count_inserted + count_duplicate + count_rejected + count_filtered)
    )
    """,
    "comment on table raw.loads is 'One row per file and content that was loaded, held or could not be read.'",
    """
    create table raw.rejected_events (
        load_id bigint not null references raw.loads,
        line bigint not null,
        reason text not null,
        field text,
        message text not null,
        payload text not null,
        primary key (load_id, line)
    )
    """,
    "comment on table raw.rejected_events is 'One row per line of a file that was refused, with the reason.'",
    """
    create table raw.company_ids (
        company_id bigint generated always as identity primary key,
        company_key text not null unique
    )
    """,
    """
    create table raw.companies (
        company_id bigint not null references raw.company_ids,
        valid_from timestamptz not null,
        received_at timestamptz not null,
        name text not null,
        industry text not null,
        country char(2) not null,
        time_zone text not null,
        business_hours jsonb not null,
        locale text not null,
        currency char(3) not null,
        activated_at timestamptz not null,
        contact_email text,
        load_id bigint not null,
        primary key (company_id, valid_from, received_at)
    )
    """,
    """
    create table raw.branch_ids (
        company_id bigint not null references raw.company_ids,
        branch_id bigint generated always as identity,
        branch_key text not null,
        primary key (company_id, branch_id),
        unique (company_id, branch_key)
    )
    """,
    """
    create table raw.branches (
        company_id bigint not null,
        branch_id bigint not null,
        valid_from timestamptz not null,
        received_at timestamptz not null,
        name text not null,
        city text,
        region text,
        load_id bigint not null,
        primary key (company_id, branch_id, valid_from, received_at),
        foreign key (company_id, branch_id) references raw.branch_ids
    )
    """,
    """
    create table raw.plans (
        plan_id bigint generated always as identity primary key,
        plan_key text not null,
        version integer not null,
        currency char(3) not null,
        valid_from date not null,
        terms jsonb not null,
        received_at timestamptz not null,
        load_id bigint not null,
        unique (plan_key, version)
    )
    """,
    """
    create table raw.subscriptions (
        company_id bigint not null references raw.company_ids,
        valid_from timestamptz not null,
        received_at timestamptz not null,
        plan_key text not null,
        plan_version integer not null,
        status text not null check (status in ('trial', 'active', 'cancelled')),
        stripe_customer_id text,
        load_id bigint not null,
        primary key (company_id, valid_from, received_at),
        foreign key (plan_key, plan_version) references raw.plans (plan_key, version)
    )
    """,
    f"create table raw.usage_events ({EVENT_COLUMNS}) partition by range (usage_date)",
    "comment on table raw.usage_events is 'One row per accepted usage event, partitioned by the local usage date.'",
    f"create table raw.held_events ({EVENT_COLUMNS}, content_hash bigint not null, line bigint not null,"
    " primary key (load_id, line))",
    "comment on table raw.held_events is 'One row per event of a load that waits for its release; nothing reads it.'",
    """
    create table raw.event_keys (
        company_id bigint not null,
        source text not null,
        event_id text not null,
        content_hash bigint not null,
        load_id bigint not null,
        primary key (company_id, source, event_id)
    ) partition by hash (company_id)
    """,
    *(
        f"create table raw.event_keys_{i} partition of raw.event_keys for values with (modulus 8, remainder {i})"
        for i in range(8)
    ),
    "comment on table raw.event_keys is 'One row per event ever accepted: what makes an event count once, for ever.'",
)


def upgrade() -> None:
    """Create the landing tables."""
    for statement in STATEMENTS:
        op.execute(statement)
