"""Publish parsed rows: each event once, for ever, under one lock, in the caller's transaction."""

from dataclasses import dataclass

from psycopg import Connection, sql

from integrations.events.normalise import ROW_COLUMNS

__all__ = ["Published", "publish"]

PUBLISH_LOCK = 7_151_002
STORED_COLUMNS = tuple(column for column in ROW_COLUMNS if column != "content_hash")
CONFLICT = "another event with this source and id, but other content, was accepted before"

# The keys alone are sorted: rows are wide, and event_keys is filled much faster in the order of its index.
FRESH = """
    create temporary table fresh on commit drop as
    select distinct on (incoming.company_id, incoming.source, incoming.event_id)
        incoming.company_id, incoming.source, incoming.event_id, incoming.content_hash, incoming.line
    from {incoming} as incoming
    {known}
    where incoming.load_id = {load} and known.load_id is null
    order by incoming.company_id, incoming.source, incoming.event_id, incoming.line
"""
# Looking keys up one by one costs about as much as reading twenty, and does not grow with the history.
LOOKUP_COST = 20
BY_SCAN = "left join raw.event_keys as known using (company_id, source, event_id)"
BY_LOOKUP = """
    left join lateral (
        select event_keys.load_id from raw.event_keys
        where event_keys.company_id = incoming.company_id and event_keys.source = incoming.source
            and event_keys.event_id = incoming.event_id
        limit 1
    ) as known on true
"""
COUNT_KEYS = """
    select coalesce(sum(greatest(class.reltuples, 0)), 0)
    from pg_partition_tree('raw.event_keys') as tree inner join pg_class as class on class.oid = tree.relid
    where tree.isleaf
"""
STALE = """
    create temporary table stale on commit drop as
    select incoming.company_id, incoming.source, incoming.event_id, incoming.content_hash, incoming.line
    from {incoming} as incoming
    where incoming.load_id = {load} and not exists (select from fresh where fresh.line = incoming.line)
"""
AND_FRESH = "and not exists (select from stale where stale.line = incoming.line)"
DATES = """
    select distinct incoming.usage_date from {incoming} as incoming where incoming.load_id = {load} {and_fresh}
    order by 1
"""
EVENTS = """
    insert into raw.usage_events ({columns}, load_id)
    select {columns}, load_id from {incoming} as incoming where incoming.load_id = {load} {and_fresh}
"""
KEYS = """
    insert into raw.event_keys (company_id, source, event_id, content_hash, load_id)
    select company_id, source, event_id, content_hash, {load} from fresh
"""
CONFLICTS = """
    insert into raw.rejected_events (load_id, line, reason, field, message, payload)
    select {load}, incoming.line, 'conflict', 'id', {message}, (to_jsonb(incoming) - 'content_hash')::text
    from stale
    inner join raw.event_keys as known using (company_id, source, event_id)
    inner join {incoming} as incoming on incoming.line = stale.line
    where incoming.load_id = {load} and known.content_hash <> stale.content_hash
"""
DIRTY = """
    insert into ops.usage_date_state as state (usage_date, dirty_version)
    select date, 1 from unnest(%s::date[]) as date
    on conflict (usage_date) do update set dirty_version = state.dirty_version + 1
"""


@dataclass(frozen=True)
class Published:
    """What became of the rows that were to be published."""

    inserted: int
    duplicate: int
    conflict: int
    usage_dates: list[str]


def publish(connection: Connection, source_table: sql.Composable, load_id: int) -> Published:
    """Move the rows of one load from `source_table` (`ROW_COLUMNS` and `line`) into the events, each key once.

    Of several rows with one key, the first line counts; a row that says the same again is a duplicate, one that says
    something else goes into quarantine as `conflict`. The dates touched are marked dirty.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
    connection.execute("set local work_mem = '128MB'")
    names = {
        "incoming": source_table,
        "columns": sql.SQL(", ").join(map(sql.Identifier, STORED_COLUMNS)),
        "load": sql.Literal(load_id),
        "message": sql.Literal(CONFLICT),
    }
    total = _count(connection, names)
    names["known"] = sql.SQL(BY_LOOKUP if total * LOOKUP_COST < _count_keys(connection) else BY_SCAN)
    fresh = _execute(connection, FRESH, names)
    stale = total - fresh
    if stale:
        _execute(connection, STALE, names)
    names["and_fresh"] = sql.SQL(AND_FRESH if stale else "")
    dates = [str(row[0]) for row in connection.execute(sql.SQL(DATES).format(**names))] if fresh else []
    for date in dates:
        _ensure_partition(connection, date)
    if fresh:
        _execute(connection, EVENTS, names)
        _execute(connection, KEYS, names)
    conflict = _execute(connection, CONFLICTS, names) if stale else 0
    connection.execute("drop table if exists fresh, stale")
    connection.execute(DIRTY, [dates])
    return Published(fresh, stale - conflict, conflict, dates)


def _count(connection: Connection, names: dict[str, sql.Composable]) -> int:
    row = connection.execute(
        sql.SQL("select count(*) from {incoming} as incoming where incoming.load_id = {load}").format(**names)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _execute(connection: Connection, statement: str, names: dict[str, sql.Composable]) -> int:
    return connection.execute(sql.SQL(statement).format(**names)).rowcount


def _count_keys(connection: Connection) -> float:
    """About how many keys there are, from the planner's statistics."""
    row = connection.execute(COUNT_KEYS).fetchone()
    return float(row[0]) if row else 0.0


def _ensure_partition(connection: Connection, date: str) -> None:
    """Create a date's partition by attaching a new table, which does not wait for the readers of the others."""
    name = f"usage_events_{date.replace('-', '')}"
    if connection.execute("select to_regclass(%s)", [f"raw.{name}"]).fetchone() != (None,):
        return
    table = sql.Identifier("raw", name)
    connection.execute(sql.SQL("create table {} (like raw.usage_events including all)").format(table))
    connection.execute(
        sql.SQL("alter table raw.usage_events attach partition {} for values from ({}) to (({}::date + 1))").format(
            table, sql.Literal(date), sql.Literal(date)
        )
    )
