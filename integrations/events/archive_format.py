"""Events as Parquet, by way of PostgreSQL's CSV: a few MiB at a time, each value as it was."""

from collections.abc import Iterator
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any

from psycopg import Connection, sql

from integrations.events.publish import STORED_COLUMNS

__all__ = ["COLUMNS", "NAMES", "read_rows", "write_rows"]

COLUMNS = (*STORED_COLUMNS, "load_id")
NAMES = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
ROWS = 50_000
BLOCK_SIZE = 1 << 23
CSV = sql.SQL("format csv")


def write_rows(connection: Connection, table: sql.Identifier, where: sql.Composable, file: IO[bytes]) -> None:
    """Write the rows of a table for which a where clause holds."""
    import pyarrow.parquet

    with TemporaryFile() as rows:
        longest = _copy_out(connection, table, where, rows)
        with pyarrow.parquet.ParquetWriter(file, _schema(), compression="zstd") as writer:
            for batch in _batches(rows, longest):
                writer.write_batch(batch)


def read_rows(connection: Connection, file: IO[bytes], table: sql.Identifier) -> None:
    """Append the rows of a file to a table.

    Raises:
        OSError: when the file can't be read.
        pyarrow.ArrowInvalid: when it is no such file.
    """
    import pyarrow.csv
    import pyarrow.parquet

    statement = sql.SQL("copy {table} ({names}) from stdin ({csv})").format(table=table, names=NAMES, csv=CSV)
    options = pyarrow.csv.WriteOptions(include_header=False)
    with connection.cursor().copy(statement) as copy:
        for batch in pyarrow.parquet.ParquetFile(file).iter_batches(ROWS, columns=list(COLUMNS)):
            buffer = BytesIO()
            pyarrow.csv.write_csv(batch, buffer, options)
            copy.write(buffer.getvalue())


def _copy_out(connection: Connection, table: sql.Identifier, where: sql.Composable, file: IO[bytes]) -> int:
    """Write the rows of a query as CSV; the length of the longest one, in bytes."""
    longest = 0
    statement = sql.SQL("copy (select {names} from {table} {where}) to stdout ({csv})").format(
        names=NAMES, table=table, where=where, csv=CSV
    )
    with connection.cursor().copy(statement) as copy:
        for row in copy:
            longest = max(longest, len(row))
            file.write(row)
    file.seek(0)
    return longest


def _batches(rows: IO[bytes], longest: int) -> Iterator[Any]:
    """The rows of a CSV as record batches, a few MiB at a time; a bare nothing is null, a quoted one an empty text.

    A row must fit into a block: a line of 1 MiB may be 50 MiB here, since JSON's 1e308 has 309 digits in PostgreSQL.
    """
    import pyarrow.csv

    schema = _schema()
    if not rows.read(1):
        return
    rows.seek(0)
    yield from pyarrow.csv.open_csv(
        rows,
        pyarrow.csv.ReadOptions(column_names=schema.names, block_size=max(BLOCK_SIZE, longest)),
        pyarrow.csv.ParseOptions(newlines_in_values=True),
        pyarrow.csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _schema() -> Any:
    import pyarrow as pa

    amount = pa.decimal128(20, 6)
    types = {
        "company_id": pa.int64(),
        "usage_date": pa.date32(),
        "local_minute": pa.int16(),
        "occurred_at": pa.timestamp("us", "UTC"),
        "branch_id": pa.int64(),
        "quantity": amount,
        "duration_seconds": pa.int64(),
        "revenue": amount,
        "is_after_hours": pa.bool_(),
        "is_local_time_shifted": pa.bool_(),
        "load_id": pa.int64(),
    }
    return pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
