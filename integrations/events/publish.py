"""Publish parsed rows: each event once, for ever, under one lock, in the caller's transaction."""

from dataclasses import dataclass

from psycopg import Connection, sql

from integrations.events.normalise import ROW_COLUMNS

__all__ = ["Published", "publish"]

PUBLISH_LOCK = 7_151_002
STORED_COLUMNS = tuple(column for column in ROW_COLUMNS if column != "content_hash")
CONFLICT = "another event with this source and id, but other content, was accepted before"


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
    names = {
        "incoming": source_table,
        "columns": sql.SQL(", ").join(map(sql.Identifier, STORED_COLUMNS)),
        "load": sql.Literal(load_id),
    }
    _execute(
        connection,
        """
        create temporary table fresh on commit drop as
        select distinct on (incoming.company_id, incoming.source, incoming.event_id) incoming.*
        from {incoming} as incoming
        left join raw.event_keys as known using (company_id, source, event_id)
        where incoming.load_id = {load} and known.load_id is null
        order by incoming.company_id, incoming.source, incoming.event_id, incoming.line
        """,
        names,
    )
    dates = [str(row[0]) for row in connection.execute("select distinct usage_date from fresh order by 1")]
    for date in dates:
        _ensure_partition(connection, date)
    inserted = _execute(
        connection,
        "insert into raw.usage_events ({columns}, load_id) select {columns}, load_id from fresh",
        names,
    )
    _execute(
        connection,
        """
        insert into raw.event_keys (company_id, source, event_id, content_hash, load_id)
        select company_id, source, event_id, content_hash, load_id from fresh
        """,
        names,
    )
    conflict = _execute(
        connection,
        """
        insert into raw.rejected_events (load_id, line, reason, field, message, payload)
        select {load}, incoming.line, 'conflict', 'id', {message}, (to_jsonb(incoming) - 'content_hash')::text
        from {incoming} as incoming
        join raw.event_keys as known using (company_id, source, event_id)
        where incoming.load_id = {load} and known.content_hash <> incoming.content_hash
        """,
        {**names, "message": sql.Literal(CONFLICT)},
    )
    total = connection.execute(
        sql.SQL("select count(*) from {incoming} where load_id = {load}").format(**names)
    ).fetchone()
    connection.execute("drop table fresh")
    connection.execute(
        """
        insert into ops.usage_date_state as state (usage_date, dirty_version)
        select date, 1 from unnest(%s::date[]) as date
        on conflict (usage_date) do update set dirty_version = state.dirty_version + 1
        """,
        [dates],
    )
    assert total is not None
    return Published(inserted, total[0] - inserted - conflict, conflict, dates)


def _execute(connection: Connection, statement: str, names: dict[str, sql.Composable]) -> int:
    return connection.execute(sql.SQL(statement).format(**names)).rowcount


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
