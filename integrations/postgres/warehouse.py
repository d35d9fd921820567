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
DTYPES: dict[int, np.dtype[Any]] = {
    oid: np.dtype(name)
    for name, oids in {"bool": [16], "int64": [20, 21, 23], "float64": [700, 701]}.items()
    for oid in oids
}
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
        elif frame.empty and column.type_code in DTYPES:
            frame[column.name] = frame[column.name].astype(DTYPES[column.type_code])
    return frame


def append_rows(connection: Connection, table: str, rows: Iterable[Row]) -> int:
    """Insert rows, leaving out those whose key is there already; returns how many were new.

    Args:
        table: with its schema, such as `ml.usage_patterns`.
        rows: all with the same columns.

    Raises:
        ValueError: when they have not.
    """
    rows = list(rows)
    if not rows:
        return 0
    names = list(rows[0])
    for row in rows:
        if row.keys() != rows[0].keys():
            odd = ", ".join(sorted(row.keys() ^ rows[0].keys()))
            raise ValueError(f"The rows for {table} must all have the same columns; only some have {odd}.")
    statement = sql.SQL("insert into {} ({}) values ({}) on conflict do nothing").format(
        _table(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.Placeholder() * len(names)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, [[_plain(row[name]) for name in names] for row in rows])
        return cursor.rowcount


def replace_rows(connection: Connection, table: str, key: Row, rows: Iterable[Row]) -> int:
    """Delete the rows of `table` whose columns equal `key`, then insert `rows`, in one transaction.

    Where the key has a `range`, the rows from its start up to before its end go.
    """
    rows = list(rows)
    where = sql.SQL(" and ").join(_is(name, value) for name, value in key.items())
    with connection.transaction():
        connection.execute(sql.SQL("delete from {} where {}").format(_table(table), where))
        return append_rows(connection, table, rows)


def _is(column: str, value: Any) -> sql.Composed:
    if isinstance(value, range):
        return sql.SQL("({0} >= {1} and {0} < {2})").format(sql.Identifier(column), value.start, value.stop)
    return sql.SQL("{} = {}").format(sql.Identifier(column), _plain(value))


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _plain(value: Any) -> Any:
    """What the driver understands for what pandas and numpy hold."""
    if isinstance(value, dict | list | tuple):
        return Jsonb(value)
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    return None if pd.isna(value) else value
