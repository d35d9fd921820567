"""Events that take back others: a void counts from the moment on when both it and its event have arrived."""

from datetime import date

from psycopg import Connection, sql

from integrations.events.contract import VOID

__all__ = ["TARGET", "apply_voids", "count_voids"]

TARGET = "raw.event_key(incoming.properties -> 'voids' ->> 'source', incoming.properties -> 'voids' ->> 'id')"
COUNT = "select count(*) from {incoming} as incoming where incoming.load_id = {load} and incoming.event_type = {void}"
INSERT = f"""
    insert into raw.voids (company_id, event_key, source, event_id, voided_by, load_id)
    select incoming.company_id, {TARGET}, incoming.properties -> 'voids' ->> 'source',
        incoming.properties -> 'voids' ->> 'id', incoming.event_key, {{load}}
    from {{incoming}} as incoming inner join fresh on fresh.line = incoming.line
    where incoming.load_id = {{load}} and incoming.event_type = {{void}}
"""
MEET_KNOWN = """
    update raw.voids as voids set usage_date = known.usage_date from raw.event_keys as known
    where voids.load_id = {load} and voids.usage_date is null
        and known.company_id = voids.company_id and known.event_key = voids.event_key
    returning known.usage_date
"""
MEET_ARRIVED = """
    update raw.voids as voids set usage_date = fresh.usage_date from fresh
    where voids.usage_date is null and voids.company_id = fresh.company_id and voids.event_key = fresh.event_key
    returning fresh.usage_date
"""


def count_voids(connection: Connection, source_table: sql.Composable, load_id: int) -> int:
    """How many rows of a load take back an event."""
    row = connection.execute(_filled(COUNT, source_table, load_id)).fetchone()
    assert row is not None
    return int(row[0])


def apply_voids(connection: Connection, source_table: sql.Composable, load_id: int) -> set[date]:
    """Note what the load's `fresh` rows take back, and let earlier voids meet the events that they waited for.

    A void whose event has not arrived waits for it, for ever if need be.

    Returns:
        The usage dates of the events that do not count any more.
    """
    dates: set[date] = set()
    if count_voids(connection, source_table, load_id):
        connection.execute(_filled(INSERT, source_table, load_id))
        dates |= {day for (day,) in connection.execute(_filled(MEET_KNOWN, source_table, load_id))}
    if connection.execute("select from raw.voids where usage_date is null limit 1").fetchone() is not None:
        dates |= {day for (day,) in connection.execute(MEET_ARRIVED)}
    return dates


def _filled(statement: str, source_table: sql.Composable, load_id: int) -> sql.Composed:
    return sql.SQL(statement).format(incoming=source_table, load=sql.Literal(load_id), void=sql.Literal(VOID))
