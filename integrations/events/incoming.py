"""The rows of one load before they are published: a temporary table of the transaction."""

from psycopg import Connection, sql

from integrations.events.batches import Batch
from integrations.events.copy_format import COPY_OPTIONS
from integrations.events.ledger import LoadReport, quarantine
from integrations.events.normalise import ROW_COLUMNS

__all__ = ["INCOMING", "create_incoming", "store"]

INCOMING = sql.Identifier("incoming")
COPY = sql.SQL("copy incoming ({columns}) from stdin ({options})").format(
    columns=sql.SQL(", ").join(map(sql.Identifier, (*ROW_COLUMNS, "load_id", "line"))), options=sql.SQL(COPY_OPTIONS)
)


def create_incoming(connection: Connection) -> None:
    """Create the table, empty; it ends with the transaction."""
    connection.execute(
        "create temporary table incoming on commit drop as select held.* from raw.held_events as held limit 0"
    )


def store(connection: Connection, report: LoadReport, batch: Batch) -> None:
    """Put what was accepted into the table and what was refused into quarantine, and count both."""
    if batch.rows:
        with connection.cursor().copy(COPY) as copy:
            copy.write(batch.rows)
    if batch.rejections:
        quarantine(connection, report.load_id, batch.rejections)
    report.read += batch.read
    report.inserted += batch.accepted
    report.duplicate += batch.known
    report.rejected += len(batch.rejections)
    for rule, count in batch.filtered.items():
        report.filtered_by[rule] = report.filtered_by.get(rule, 0) + count
        report.filtered += count
