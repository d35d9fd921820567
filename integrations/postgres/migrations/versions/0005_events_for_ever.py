"""Schema raw: keys that outlive their events, and what corrects, archives or erases an event."""

from alembic import op

revision = "0005"
down_revision = "0004"

EVENT_KEYS = """
    create table raw.event_keys (
        company_id bigint not null,
        event_key uuid not null,
        content_hash bigint not null,
        load_id bigint not null,
        line integer not null,
        usage_date date not null,
        primary key (company_id, event_key)
    ) partition by hash (company_id)
"""
PARTITIONS = tuple(
    f"create table raw.event_keys_{i} partition of raw.event_keys for values with (modulus 8, remainder {i})"
    for i in range(8)
)

STATEMENTS: tuple[str, ...] = (
    r"""
    create function raw.event_key(source text, event_id text) returns uuid
    language sql immutable strict parallel safe return encode(
        substr(sha256(convert_to(source, 'UTF8') || '\x00'::bytea || convert_to(event_id, 'UTF8')), 1, 16), 'hex'
    )::uuid
    """,
    "alter table raw.event_keys rename to event_keys_by_text",
    *(f"alter table raw.event_keys_{i} rename to event_keys_by_text_{i}" for i in range(8)),
    *(f"alter index raw.event_keys_{i}_pkey rename to event_keys_by_text_{i}_pkey" for i in range(8)),
    "alter index raw.event_keys_pkey rename to event_keys_by_text_pkey",
    EVENT_KEYS,
    *PARTITIONS,
    """
    insert into raw.event_keys (company_id, event_key, content_hash, load_id, line, usage_date)
    select keys.company_id, raw.event_key(keys.source, keys.event_id), keys.content_hash, keys.load_id, 0,
        events.usage_date
    from raw.event_keys_by_text as keys
    inner join raw.usage_events as events using (company_id, source, event_id)
    """,
    "drop table raw.event_keys_by_text",
    "comment on table raw.event_keys is"
    " 'One row per event ever accepted: what makes it count once, for ever. It outlives archived events.'",
    "comment on column raw.event_keys.event_key is 'raw.event_key(source, event_id)'",
    "comment on column raw.event_keys.line is 'The line of the load''s file; 0 when it was not kept.'",
    "alter table raw.held_events add column event_key uuid",
    "update raw.held_events set event_key = raw.event_key(source, event_id)",
    "alter table raw.held_events alter column event_key set not null",
    """
    create table raw.voids (
        company_id bigint not null,
        event_key uuid not null,
        source text not null,
        event_id text not null,
        usage_date date,
        voided_by uuid not null,
        load_id bigint not null references raw.loads,
        primary key (company_id, event_key, voided_by)
    )
    """,
    "comment on table raw.voids is 'One row per event that does not count any more, and per event that says so.'",
    "comment on column raw.voids.voided_by is 'The event_key of the void.'",
    "comment on column raw.voids.usage_date is 'Of the event that is voided; null while it has not arrived.'",
    "create table raw.replaced_events (like raw.usage_events, replaced_by bigint not null references raw.loads)",
    "comment on table raw.replaced_events is"
    " 'One row per event that a later delivery of its company''s whole time frame took the place of.'",
    """
    create table raw.archived_dates (
        usage_date date primary key,
        location text not null,
        count_rows bigint not null,
        checksum numeric not null,
        archived_at timestamptz not null,
        restored_at timestamptz
    )
    """,
    "comment on table raw.archived_dates is"
    " 'One row per usage date whose events went into a file of the archive; restored_at says that they are back.'",
    "alter table raw.loads add column mapping jsonb",
    "comment on column raw.loads.mapping is 'The source mapping by which the file was read; null for CloudEvents.'",
    "create index on raw.loads (fingerprint)",
    "create index on raw.voids (company_id, event_key) where usage_date is null",
    "create index on raw.voids (load_id)",
    "create index on raw.replaced_events (replaced_by)",
    "alter table raw.rejected_events add column replayed_by bigint references raw.loads",
    "create index on raw.rejected_events (replayed_by) where replayed_by is not null",
    "comment on column raw.rejected_events.replayed_by is 'The load that took the line after its cause was mended.'",
    """
    create table ops.erasures (
        company_id bigint not null,
        erasure_id bigint generated always as identity,
        pseudonym text not null,
        reference text,
        counts jsonb not null,
        erased_at timestamptz not null,
        primary key (company_id, erasure_id)
    )
    """,
    "comment on table ops.erasures is 'One row per request to forget a customer; the customer''s name is not in it.'",
)


def upgrade() -> None:
    """Make an event's key a hash of fixed size, so that it sorts fast, keeps no identifier and outlives the event."""
    for statement in STATEMENTS:
        op.execute(statement)
