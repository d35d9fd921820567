"""A database that many tests use one after the other: emptying it is much faster than creating one for each."""

import psycopg
from psycopg import sql

TABLES = """
    select tables.relnamespace::regnamespace::text, tables.relname, tables.relispartition
    from pg_class as tables join pg_namespace as schemas on schemas.oid = tables.relnamespace
    where tables.relkind in ('r', 'p') and schemas.nspname in ('raw', 'ml', 'billing', 'messaging', 'ops')
"""
KEPT = {("ops", "alembic_version"), ("ops", "settings")}


class ReusedDatabase:
    """A migrated database, and how to bring it back to the state in which it was made."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url) as connection:
            self._tables = connection.execute(TABLES).fetchall()

    def empty(self) -> None:
        """Drop every table that was added, partitions of events included, and delete every row."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(TABLES).fetchall()
            added = [sql.Identifier(*name) for *name, _ in set(found) - set(self._tables)]
            if added:
                connection.execute(sql.SQL("drop table if exists {} cascade").format(sql.SQL(", ").join(added)))
            connection.execute("set session_replication_role = replica")  # no order among foreign keys
            for schema, name, is_partition in self._tables:
                if not is_partition and (schema, name) not in KEPT:
                    connection.execute(sql.SQL("delete from {}").format(sql.Identifier(schema, name)))
