"""The usage marts as DuckDB would build them: the same rows and columns from the same inputs, in a database file.

`twins/<mart>.sql` is a mart's query; it reads the inputs, the views of `twins/_views.sql` and the twins before it.
Whoever adds a usage mart adds its twin: a benchmark stops when one is missing, or has other rows or sums. Companies and
branches are read as the world has them, in one version each.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
from psycopg import Connection

TWINS = Path(__file__).parent / "twins"
INPUTS = {
    "events": "select * from raw.usage_events",
    "loads": "select load_id, received_at from raw.loads",
    "companies": """
        select company_id, company_key, name, industry, country, time_zone, business_hours, locale, currency,
            activated_at, contact_email
        from raw.companies inner join raw.company_ids using (company_id)
    """,
    "branches": "select company_id, branch_id, valid_from, city, region from raw.branches",
    "subscriptions": """
        select company_id, valid_from, plan_key, plan_version, status, stripe_customer_id from raw.subscriptions
    """,
    "plans": "select plan_key, version, terms -> 'charges' as charges from raw.plans",
    "minutes_saved": "select event_type, outcome, minutes from marts.minutes_saved",
    "meters": """
        select meter, event_type, aggregation, value_field, nullif(split_part(filter, '=', 1), '') as filter_field,
            nullif(split_part(filter, '=', 2), '') as filter_value, is_priced_by_event
        from marts.billable_meters
    """,
}
VIEWS = {"daily_usage_summary"}
ADDITIVE = ("total_", "count_", "quantity")
TYPES = {"numeric": "decimal(20, 6)", "jsonb": "json", "bpchar": "text"}


class Twin:
    """A DuckDB file with the inputs of a warehouse, in which its usage marts are built as well.

    Args:
        connection: to the warehouse.
        folder: for the file; must not exist.
        marts: (schema, table) of every usage mart, in an order in which they can be built.

    Raises:
        RuntimeError: when one has no twin.
    """

    def __init__(self, connection: Connection, folder: Path, marts: Sequence[tuple[str, str]]) -> None:
        if missing := [name for _, name in marts if not (TWINS / f"{name}.sql").exists()]:
            raise RuntimeError(f"{', '.join(missing)}: no twin. Write the mart's DuckDB query into {TWINS}.")
        folder.mkdir()
        self._connection, self._marts = connection, marts
        self._database = duckdb.connect(folder / "twin.duckdb", config={"threads": os.cpu_count()})
        self._database.execute("set enable_progress_bar = false")
        for name, query in INPUTS.items():
            self._copy(name, query, folder / f"{name}.csv")
        self._database.execute((TWINS / "_views.sql").read_text())

    def build(self) -> None:
        """Build every mart anew."""
        for _, name in self._marts:
            kind = "view" if name in VIEWS else "table"
            self._database.execute(f"create or replace {kind} {name} as {(TWINS / f'{name}.sql').read_text()}")

    def check(self) -> None:
        """Compare with the warehouse's own marts.

        Raises:
            RuntimeError: when one has another number of rows, or another sum in a column that adds up.
        """
        for schema, name in self._marts:
            nothing = f"select * from {schema}.{name} limit 0".encode()
            theirs = {column.name for column in self._connection.execute(nothing).description or []}
            own = [column for column, *_ in self._database.execute(f"from {name} limit 0").description or []]
            added_up = [column for column in own if column in theirs and column.startswith(ADDITIVE)]
            sums = ", ".join(["count(*)", *(f"coalesce(sum({column}), 0)" for column in added_up)])
            here = self._database.execute(f"select {sums} from {name}").fetchone() or ()
            there = self._connection.execute(f"select {sums} from {schema}.{name}".encode()).fetchone() or ()
            for what, ours, expected in zip(["rows", *added_up], here, there, strict=True):
                if round(expected - ours, 2) != 0:
                    raise RuntimeError(f"{name}: {expected:,} {what}, and {ours:,} in its twin: they differ.")

    def _copy(self, name: str, query: str, path: Path) -> None:
        with self._connection.cursor() as cursor, path.open("wb") as file:
            found = cursor.execute(f"select * from ({query}) as input limit 0".encode()).description or []
            names = {column.name: self._connection.adapters.types[column.type_code].name for column in found}
            types = {column: TYPES.get(type_name, type_name) for column, type_name in names.items()}
            with cursor.copy(f"copy ({query}) to stdout (format csv, header)".encode()) as copy:
                file.writelines(copy)
        self._database.execute(f"create table {name} as from read_csv('{path}', header = true, columns = {types})")
        path.unlink()
