"""Usage as it was known at an instant: what came in later is not in it, however often the marts were rebuilt since.

Nothing here computes usage in a way of its own. Events are put together as they stood then, the marts' own SQL is run
over them for the companies and dates that have changed, and queries are led to the result; all of it in the session.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg import Connection, sql
from sqlalchemy import URL

from integrations.events.known import LaterLoads, later_loads, take_back
from integrations.postgres.warehouse import read_frame
from orchestration.shards import ALL_COMPANIES

if TYPE_CHECKING:
    from orchestration.dbt import Compiled

MODELS = (
    "int_meter_values",
    "int_meter_levels",
    "fct_usage_hourly",
    "fct_conversion",
    "fct_usage_daily",
    "fct_event_lateness",
    "fct_meter_usage_daily",
)
"""The marts that the analysis reads, and what they are built from, in the order of a build."""
COMPANIES = "dim_companies"
SOURCES = ("usage_events", "voids")
PREPARED = "select obj_description(to_regclass('pg_temp.touched_companies'), 'pg_class')"
"""For what the session is prepared: a key of later loads, dates and companies; null when for nothing."""


def as_known(connection: Connection, query: str, over: Mapping[str, Any]) -> str:
    """The query that reads usage as it was known at `over["known_at"]`: itself, when nothing was received since.

    Args:
        query: names the marts with their schema.
        over: its parameters, with known_at, the dates that it reads (first, as_of) and, where it reads only these, the
            companies (first_company, end_company), each half-open.

    Raises:
        EventsArchived: when the events of a date that has changed since are archived.
    """
    later = later_loads(connection, over["known_at"], over["first"], over["as_of"])
    if not (later.usage_dates or later.has_companies):
        return query
    companies = range(over.get("first_company", 0), over.get("end_company", ALL_COMPANIES.stop))
    key = str(hash((later, companies)))
    if connection.execute(PREPARED).fetchone() != (key,):
        with connection.transaction():
            _forget(connection)
            _shadow(connection, later, companies)
            connection.execute(f"comment on table pg_temp.touched_companies is '{key}'".encode())
    return _led(query, (*MODELS, COMPANIES) if later.usage_dates else (COMPANIES,))


def read_usage(connection: Connection, query: str, over: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of a query over marts, as it was known at `over["known_at"]` (`as_known`)."""
    return read_frame(connection, as_known(connection, query, over), over)


def _forget(connection: Connection) -> None:
    connection.execute(f"drop view if exists pg_temp.{COMPANIES}".encode())
    for name in ("touched_companies", *SOURCES, *(f"known_{model}" for model in MODELS)):
        connection.execute(f"drop table if exists pg_temp.{name} cascade".encode())


def _shadow(connection: Connection, later: LaterLoads, companies: range) -> None:
    """Make what queries are led to: each model, and the companies as they were described."""
    take_back(connection, later, companies)
    window = (later.usage_dates[0], later.usage_dates[-1]) if later.usage_dates else None
    *models, described = _compiled(_url(connection), later.known_at, window)
    for model in models:
        _recount(connection, model, later.usage_dates)
    shadows = (*SOURCES, *MODELS) if window else ()
    connection.execute(
        sql.SQL("create temporary view {} as {}").format(
            sql.Identifier(COMPANIES),
            sql.SQL(_led(described.query, shadows)),  # type: ignore[arg-type]
        )
    )


def _recount(connection: Connection, model: "Compiled", dates: Sequence[date]) -> None:
    """Build a model anew for the touched companies and dates, and let a view put it in the place of its rows there."""
    source = sql.SQL("({}) as built").format(sql.SQL(_led(model.query, (*SOURCES, *MODELS))))  # type: ignore[arg-type]
    columns = connection.execute(sql.SQL("select * from {} limit 0").format(source)).description or []
    names: dict[str, sql.Composable] = {
        "name": sql.Identifier(model.table),
        "known": sql.Identifier(f"known_{model.table}"),
        "table": sql.Identifier(model.schema, model.table),
        "columns": sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
        "source": source,
        "touched": sql.SQL(
            "company_id in (select company_id from pg_temp.touched_companies)"
            " and (usage_date = any({dates}) or (usage_date >= {first} and {carried}))"
        ).format(
            dates=sql.Literal(list(dates)),
            first=sql.Literal(dates[0]),
            carried=sql.SQL(model.carried_rows or "false"),  # type: ignore[arg-type]
        ),
    }
    for statement in (
        "create temporary table {known} as select {columns} from {source} where {touched}",
        "create temporary view {name} as select {columns} from {table} where not ({touched})"
        " union all select {columns} from pg_temp.{known}",
    ):
        connection.execute(sql.SQL(statement).format(**names))  # type: ignore[arg-type]


def _led(query: str, names: tuple[str, ...]) -> str:
    """The query with the tables of these names read from the session instead of their schema."""
    place = rf'(?<![\w".])(?:"[^"]+"\.)?"?(?:raw|intermediate|marts)"?\."?({"|".join(names)})\b"?'
    return re.sub(place, r"pg_temp.\1", query) if names else query


@lru_cache(maxsize=16)
def _compiled(url: str, known_at: datetime, window: tuple[date, date] | None) -> "list[Compiled]":
    """The models over a window of usage dates, and the companies, as a build at `known_at` would make them."""
    from orchestration import dbt  # which few reads need, and which takes its time

    return dbt.compiled((*(MODELS if window else ()), COMPANIES), url, known_at, window)


def _url(connection: Connection) -> str:
    """Where the session is, for dbt."""
    at, query = connection.info, {}
    if mode := at.get_parameters().get("sslmode"):
        query["sslmode"] = mode
    if is_socket := at.host.startswith("/"):
        query["host"] = at.host
    host = None if is_socket else at.host
    return URL.create("postgresql", at.user, at.password, host, at.port, at.dbname, query).render_as_string(False)
