"""Publish parsed rows: each event once, for ever, under one lock, in the caller's transaction."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

from psycopg import Connection, sql

from integrations.events.contract import VOID
from integrations.events.normalise import ROW_COLUMNS
from integrations.events.voids import TARGET, apply_voids
from integrations.postgres.usage_dates import mark_dirty
from integrations.postgres.usage_partitions import archived_months, ensure_partition

__all__ = ["PUBLISH_LOCK", "STORED_COLUMNS", "Publication", "Published", "Restore", "publish"]

PUBLISH_LOCK = 7_151_002
STORED_COLUMNS = tuple(column for column in ROW_COLUMNS if column not in ("event_key", "content_hash"))
CONFLICT = "another event with this source and id, but other content, was accepted before"
TOO_LATE = "the events of its month are archived; `usage-pricing ingest --history` brings them back and takes this one"
Restore = Callable[[Connection, list[date]], object]

# The keys alone are sorted: rows are wide, and event_keys is filled much faster in the order of its index.
FRESH = """
    create temporary table fresh on commit drop as
    select distinct on (incoming.company_id, incoming.event_key)
        incoming.company_id, incoming.event_key, incoming.content_hash, incoming.line::integer as line,
        incoming.usage_date
    from {incoming} as incoming
    {known}
    where incoming.load_id = {load} and known.load_id is null
    order by incoming.company_id, incoming.event_key, incoming.line
"""
# Looking keys up one by one costs about as much as reading twenty, and does not grow with the history.
LOOKUP_COST = 20
BY_SCAN = "left join raw.event_keys as known using (company_id, event_key)"
BY_LOOKUP = """
    left join lateral (
        select event_keys.load_id from raw.event_keys
        where event_keys.company_id = incoming.company_id and event_keys.event_key = incoming.event_key
        limit 1
    ) as known on true
"""
COUNT_KEYS = """
    select coalesce(sum(greatest(class.reltuples, 0)), 0)
    from pg_partition_tree('raw.event_keys') as tree inner join pg_class as class on class.oid = tree.relid
    where tree.isleaf
"""
DATES = "select usage_date from fresh group by usage_date order by usage_date"
# What a row changes: its own usage date, and that of the event that it voids.
LATE = f"""
    create temporary table late on commit drop as
    select fresh.company_id, fresh.event_key, fresh.usage_date from fresh
    where date_trunc('month', fresh.usage_date)::date = any({{archived}}::date[])
    union all
    select fresh.company_id, fresh.event_key, target.usage_date
    from fresh
    inner join {{incoming}} as incoming on incoming.line = fresh.line
    inner join raw.event_keys as target on target.company_id = incoming.company_id and target.event_key = {TARGET}
    where incoming.load_id = {{load}} and incoming.event_type = {{void}}
        and date_trunc('month', target.usage_date)::date = any({{archived}}::date[])
"""
REFUSE_LATE = """
    insert into raw.rejected_events (load_id, line, reason, field, message, payload)
    select {load}, incoming.line, 'too_late', 'time', {too_late}, {payload}
    from {incoming} as incoming
    where incoming.load_id = {load} and (company_id, event_key) in (select company_id, event_key from late)
"""
FORGET_LATE = "delete from fresh where (company_id, event_key) in (select company_id, event_key from late)"
STALE = """
    create temporary table stale on commit drop as
    select incoming.company_id, incoming.event_key, incoming.content_hash, incoming.line
    from {incoming} as incoming
    where incoming.load_id = {load} and not exists (select from fresh where fresh.line = incoming.line)
"""
AND_FRESH = "and not exists (select from stale where stale.line = incoming.line)"
EVENTS = """
    insert into raw.usage_events ({columns}, load_id)
    select {columns}, load_id from {incoming} as incoming where incoming.load_id = {load} {and_fresh}
"""
KEYS = """
    insert into raw.event_keys (company_id, event_key, content_hash, load_id, line, usage_date)
    select company_id, event_key, content_hash, {load}, line, usage_date from fresh
"""
CONFLICTS = """
    insert into raw.rejected_events (load_id, line, reason, field, message, payload)
    select {load}, incoming.line, 'conflict', 'id', {conflict}, {payload}
    from stale
    inner join raw.event_keys as known using (company_id, event_key)
    inner join {incoming} as incoming on incoming.line = stale.line
    where incoming.load_id = {load} and known.content_hash <> stale.content_hash
"""
PAYLOAD = "to_jsonb(incoming)::text"


@dataclass(frozen=True)
class Published:
    """What became of the rows that were to be published, and which usage dates must be built anew."""

    inserted: int
    duplicate: int
    rejected: int
    usage_dates: list[str]


def publish(
    connection: Connection, source_table: sql.Composable, load_id: int, restore: Restore | None = None
) -> Published:
    """Move the rows of one load from `source_table` (`ROW_COLUMNS` and `line`) into the events, each key once."""
    publication = Publication(connection, source_table, load_id, restore)
    publication.add()
    return publication.finish()


class Publication:
    """The rows of one load on their way into the events, all at once or part by part.

    Of several rows with one key, the first line counts; a row that says the same again is a duplicate, one that says
    something else goes into quarantine as `conflict`. A new event of an archived month is `too_late`, unless `restore`
    brings the month back.

    Args:
        connection: in a transaction, which holds the lock until it ends.
        source_table: of the rows, with `ROW_COLUMNS`, load_id and line.
        load_id: whose rows are meant.
        restore: brings archived months back.
    """

    def __init__(
        self, connection: Connection, source_table: sql.Composable, load_id: int, restore: Restore | None = None
    ) -> None:
        self._connection = connection
        self._source_table = source_table
        self._load_id = load_id
        self._restore = restore
        self._inserted = self._duplicate = self._rejected = 0
        self._dates: set[date] = set()
        self._names: dict[str, sql.Composable] = {
            "incoming": source_table,
            "columns": sql.SQL(", ").join(map(sql.Identifier, STORED_COLUMNS)),
            "load": sql.Literal(load_id),
            "conflict": sql.Literal(CONFLICT),
            "too_late": sql.Literal(TOO_LATE),
            "payload": sql.SQL(PAYLOAD),
            "void": sql.Literal(VOID),
        }

    def may_begin(self) -> bool:
        """Take the lock if nobody else publishes at this moment; tells whether it is held."""
        row = self._connection.execute("select pg_try_advisory_xact_lock(%s)", [PUBLISH_LOCK]).fetchone()
        return bool(row and row[0])

    def add(self) -> None:
        """Publish what the source table holds now, after whoever publishes at this moment."""
        connection, names = self._connection, self._names
        connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
        connection.execute("set local work_mem = '128MB'")
        total = _count(connection, names)
        is_scan_dearer = total * LOOKUP_COST < self._inserted + _count_keys(connection)
        names["known"] = sql.SQL(BY_LOOKUP if is_scan_dearer else BY_SCAN)
        fresh = _execute(connection, FRESH, names)
        too_late = 0
        if fresh and (archived := archived_months(connection)):
            too_late, fresh = self._without_late(archived, fresh)
        stale = total - fresh - too_late
        if fresh < total:
            _execute(connection, STALE, names)
        names["and_fresh"] = sql.SQL(AND_FRESH if fresh < total else "")
        if fresh:
            self._insert_fresh()
        conflict = _execute(connection, CONFLICTS, names) if stale else 0
        connection.execute("drop table if exists fresh, late, stale")
        self._inserted += fresh
        self._duplicate += stale - conflict
        self._rejected += conflict + too_late

    def finish(self, others: Collection[date] = ()) -> Published:
        """Mark the dates that were touched, here or as `others`, in their order; and say what became of the rows."""
        dates = sorted(self._dates.union(others))
        mark_dirty(self._connection, dates)
        return Published(self._inserted, self._duplicate, self._rejected, [str(day) for day in dates])

    def _insert_fresh(self) -> None:
        connection, names = self._connection, self._names
        dates = {day for (day,) in connection.execute(DATES)}
        for day in sorted(dates):
            ensure_partition(connection, day)
        _execute(connection, EVENTS, names)
        _execute(connection, KEYS, names)
        self._dates |= dates | apply_voids(connection, self._source_table, self._load_id)

    def _without_late(self, archived: set[date], fresh: int) -> tuple[int, int]:
        """Put new events that would change an archived month into quarantine, or bring the month back.

        Returns:
            How many rows were refused, and how many fresh ones remain.
        """
        connection, names = self._connection, {**self._names, "archived": sql.Literal(sorted(archived))}
        _execute(connection, LATE, names)
        dates = [row[0] for row in connection.execute("select distinct usage_date from late order by usage_date")]
        if not dates:
            return 0, fresh
        if self._restore:
            self._restore(connection, dates)
            return 0, fresh
        refused = _execute(connection, REFUSE_LATE, names)
        return refused, fresh - _execute(connection, FORGET_LATE, names)


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
