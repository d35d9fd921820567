"""Append what a reference feed says to what it has said before, under the same key and valid-from time."""

from datetime import datetime
from typing import Any

from psycopg import Connection, sql

__all__ = ["append_version"]


def append_version(
    connection: Connection,
    table: str,
    key: tuple[str, ...],
    row: dict[str, Any],
    load_id: int,
    received_at: datetime,
) -> bool:
    """Add a version to a raw table unless the last one received for this key says the same; tells whether it was new.

    A later line is always received later, even when the clock says otherwise.
    """
    says_same = sql.SQL(" and ").join(
        sql.SQL("{0} is not distinct from {1}").format(sql.Identifier("last", name), sql.Placeholder(name))
        for name in row
    )
    same_key = sql.SQL(" and ").join(
        sql.SQL("{0} = {1}").format(sql.Identifier(name), sql.Placeholder(name)) for name in key
    )
    everything = {**row, "load_id": load_id}
    names = sql.SQL(", ").join(map(sql.Identifier, everything))
    values = sql.SQL(", ").join(map(sql.Placeholder, everything))
    statement = sql.SQL(
        """
        with last as (select * from {table} where {same_key} order by received_at desc limit 1)
        insert into {table} ({names}, received_at)
        select {values}, greatest(%(received_at)s, (select received_at + interval '1 microsecond' from last))
        where not exists (select from last where {says_same})
        """
    ).format(table=sql.Identifier("raw", table), names=names, values=values, same_key=same_key, says_same=says_same)
    return connection.execute(statement, {**everything, "received_at": received_at}).rowcount == 1
