"""Read frames from the warehouse and write rows into it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from psycopg import Connection, sql
from psycopg.types.json import Jsonb

__all__ = ["Warehouse", "append_rows", "read_frame", "replace_rows"]

DATE_OID, TIMESTAMPTZ_OID = 1082, 1184
Row = Mapping[str, Any]


class Warehouse:
    """One database, by its URL; each call opens its own connection unless it is given one."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in autocommit; use `connection.transaction()` for all-or-nothing."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection

    def read(self, query: str, parameters: Sequence[Any] | Row = ()) -> pd.DataFrame:
        """The rows of a query: dates as datetime64, times as UTC timestamps, JSON as dictionaries."""
        with self.connect() as connection:
            return read_frame(connection, query, parameters)

    def execute(self, statement: str, parameters: Sequence[Any] | Row = ()) -> int:
        """Run one statement; returns the number of rows that it touched."""
        with self.connect() as connection:
            return connection.execute(statement.encode(), parameters).rowcount


def read_frame(connection: Connection, query: str, parameters: Sequence[Any] | Row = ()) -> pd.DataFrame:
    """The rows of a query, as `Warehouse.read`, on a connection."""
    cursor = connection.execute(query.encode(), parameters)
    columns = cursor.description or []
    frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in columns])
    for column in columns:
        if column.type_code == DATE_OID:
            frame[column.name] = pd.to_datetime(frame[column.name])
        elif column.type_code == TIMESTAMPTZ_OID:
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True)
    return frame


def append_rows(connection: Connection, table: str, rows: Iterable[Row]) -> int:
    """Insert rows, leaving out those whose key is there already; returns how many were new.

    Args:
        table: with its schema, such as `ml.usage_patterns`.
        rows: all with the same columns.
    """
    rows = list(rows)
    if not rows:
        return 0
    statement = sql.SQL("insert into {} ({}) values ({}) on conflict do nothing").format(
        _table(table), _names(rows[0]), sql.SQL(", ").join(sql.Placeholder() * len(rows[0]))
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, [[_plain(value) for value in row.values()] for row in rows])
        return cursor.rowcount


def replace_rows(connection: Connection, table: str, key: Row, rows: Iterable[Row]) -> int:
    """Delete the rows of `table` whose columns equal `key`, then insert `rows`, in one transaction."""
    rows = list(rows)
    where = sql.SQL(" and ").join(sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in key)
    with connection.transaction():
        connection.execute(
            sql.SQL("delete from {} where {}").format(_table(table), where), [_plain(value) for value in key.values()]
        )
        return append_rows(connection, table, rows)


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _names(row: Row) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, row))


def _plain(value: Any) -> Any:
    """What the driver understands for what pandas and numpy hold."""
    if isinstance(value, dict | list | tuple):
        return Jsonb(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    return None if pd.isna(value) else value
