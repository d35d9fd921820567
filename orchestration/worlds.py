"""Whose data a database holds: a simulated world may be thrown away, anybody else's may not."""

from psycopg import Connection, sql

from integrations.postgres.schema import SCHEMAS

WORLD = "world"


class NotSimulated(RuntimeError):
    """The database holds data that did not come from the simulator."""


def is_simulated(connection: Connection) -> bool:
    """Tell whether this database was marked as holding a simulated world."""
    row = connection.execute("select value from ops.settings where name = %s", [WORLD]).fetchone()
    return bool(row and row[0] == "simulated")


def mark_simulated(connection: Connection) -> None:
    """Mark this database's content as simulated.

    Raises:
        NotSimulated: when something was loaded before.
    """
    count = connection.execute("select count(*) from raw.loads").fetchone()
    if count and count[0]:
        raise NotSimulated(
            f"This database holds {count[0]} loads that are not the simulator's. Set DATABASE_URL to another database,"
            " or `usage-pricing reset --everything` to delete them."
        )
    connection.execute("insert into ops.settings (name, value) values (%s, 'simulated')", [WORLD])


def wipe(connection: Connection, everything: bool = False) -> None:
    """Delete a simulated world with all its schemas; migrate afterwards.

    Raises:
        NotSimulated: when the data is not simulated, unless `everything` is meant.
    """
    if not everything and not is_simulated(connection):
        raise NotSimulated(
            "This database does not hold a simulated world. `usage-pricing reset --everything` deletes it all the same."
        )
    for schema in SCHEMAS:
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
