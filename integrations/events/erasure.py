"""Forget a customer of a company: a pseudonym takes the place of the name wherever it was kept."""

import json
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from integrations.events.archive import Archive
from integrations.events.forgetting import forget_properties
from integrations.events.publish import PUBLISH_LOCK

__all__ = ["Erasure", "erase_customer", "names_customer"]

TABLES = """
    select tables.table_schema, tables.table_name,
        bool_or(columns.column_name = 'properties') as has_properties
    from information_schema.columns inner join information_schema.tables using (table_schema, table_name)
    where tables.table_schema in ('raw', 'marts', 'ml', 'billing', 'messaging') and tables.table_type = 'BASE TABLE'
        and not exists (
            select from pg_class where oid = format('%I.%I', table_schema, table_name)::regclass and relispartition
        )
    group by 1, 2
    having bool_or(columns.column_name = 'customer') and bool_or(columns.column_name = 'company_id')
    order by 1, 2
"""
CANDIDATES = """
    select load_id, line, reason, payload from raw.rejected_events inner join raw.loads using (load_id)
    where loads.feed = 'events' and payload ~ any(%s)
"""
REDACT = """
    update raw.rejected_events as rejected
    set reason = 'erased', field = null, payload = '{}', message = 'the line was erased on request'
    from unnest(%s::bigint[], %s::bigint[]) as found (load_id, line)
    where rejected.load_id = found.load_id and rejected.line = found.line
"""
VALUES = "intermediate.int_meter_values"
OF_ROWS = {"conflict", "too_late", "discarded"}  # they keep the row that was complete when it was refused
# A replay is no file: its lines lie in the file of the load that was replayed.
FILES = """
    with recursive named as (
        (
            select load_id from raw.usage_events where company_id = %(company)s and customer = %(customer)s
            union
            select load_id from raw.held_events where company_id = %(company)s and customer = %(customer)s
            union
            select load_id from raw.replaced_events where company_id = %(company)s and customer = %(customer)s
        )
        union
        select replayed.load_id from named
        inner join raw.rejected_events as replayed on replayed.replayed_by = named.load_id
    )
    select distinct file_name from raw.loads inner join named using (load_id)
    where not exists (select from raw.rejected_events where replayed_by = loads.load_id) order by file_name
"""


@dataclass(frozen=True)
class Erasure:
    """What was changed.

    Attributes:
        pseudonym: what stands where the customer's name stood, so that counts and amounts stay as they are.
        counts: rows changed per table, and in the archive.
        files: those whose events, held and replaced ones included, named the customer; they are for their owner to
            delete. Files whose events were all archived or refused are not among them.
    """

    pseudonym: str
    counts: dict[str, int]
    files: list[str]


def erase_customer(
    connection: Connection, archive: Archive, company: str, customer: str, now: datetime, reference: str | None = None
) -> Erasure:
    """Replace a customer's name by a random pseudonym and drop the free properties of its events.

    Keys stay, so that a resend of an erased event is still a duplicate. The audit row holds no name.

    Args:
        connection: without a transaction.
        archive: whose files are rewritten.
        company: the company's key.
        customer: as the events name it.
        now: when it was asked for.
        reference: of the request, for the audit.

    Raises:
        LookupError: when no company has this key.
        ValueError: for a customer without a name.
    """
    if not customer.strip():
        raise ValueError("Which customer is to be forgotten? Its name is empty.")
    found = connection.execute("select company_id from raw.company_ids where company_key = %s", [company]).fetchone()
    if found is None:
        raise LookupError(f"No company {company!r} is known.")
    company_id, pseudonym = found[0], f"erased-{token_hex(8)}"
    names = connection.execute(FILES, {"company": company_id, "customer": customer})
    files = [name.partition(" as all of ")[0] for (name,) in names]
    counts = {"archive": archive.rewrite(connection, company_id, customer, pseudonym)}
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
        forgotten = forget_properties(connection, customer, pseudonym)
        for schema, table, has_properties in connection.execute(TABLES).fetchall():
            statement = sql.SQL("update {} set customer = %s{} where company_id = %s and customer = %s").format(
                sql.Identifier(schema, table),
                sql.SQL(", {}").format(forgotten) if has_properties else sql.SQL(""),
            )
            changed = connection.execute(statement, [pseudonym, company_id, customer]).rowcount
            counts[f"{schema}.{table}"] = changed
        counts.update(_forget_value(connection, company_id, customer, pseudonym))
        counts["raw.rejected_events"] = _redact(connection, company_id, company, customer)
        if any(counts.values()):
            connection.execute(
                "insert into ops.erasures (company_id, pseudonym, reference, counts, erased_at)"
                " values (%s, %s, %s, %s, %s)",
                [company_id, pseudonym, reference, Jsonb(counts), now],
            )
    return Erasure(pseudonym, counts, files)


def _forget_value(connection: Connection, company_id: int, customer: str, pseudonym: str) -> dict[str, int]:
    """Replace the name among the values that are counted once; returns how many rows, by table."""
    if connection.execute("select to_regclass(%s)", [VALUES]).fetchone() == (None,):
        return {}
    changed = connection.execute(
        f"""
        update {VALUES} set value = %s where company_id = %s and value = %s
            and meter not in (select meter from marts.billable_meters where value_field in ('service', 'channel'))
        """.encode(),
        [pseudonym, company_id, customer],
    )
    return {VALUES: changed.rowcount}


def _redact(connection: Connection, company_id: int, company: str, customer: str) -> int:
    """Empty the refused lines that name the customer; returns how many."""
    others = {key for (key,) in connection.execute("select company_key from raw.company_ids")} - {company}
    found = [
        (load_id, line)
        for load_id, line, reason, payload in connection.execute(CANDIDATES, [list(map(_word, _forms(customer)))])
        if (
            _is_row_of(payload, company_id, customer)
            if reason in OF_ROWS
            else names_customer(payload, company, customer, others)
        )
    ]
    return connection.execute(REDACT, [[load_id for load_id, _ in found], [line for _, line in found]]).rowcount


def _is_row_of(payload: str, company_id: int, customer: str) -> bool:
    row: dict[str, Any] = json.loads(payload)
    return (row.get("company_id"), row.get("customer")) == (company_id, customer)


def names_customer(payload: str, company: str, customer: str, others: Set[str]) -> bool:
    """Tell whether a refused line is about a customer of a company.

    An event or a row of a table is, when one of its texts is the customer's name, and it names this company or none
    that is known. What can't be read is, when it holds the name as a word.

    Args:
        payload: the line as it was read, in which the name occurs as a word.
        company: the company's key.
        customer: as the events name it.
        others: the keys of all other companies.
    """
    try:
        said = set(_texts(json.loads(payload)))
    except (ValueError, RecursionError):
        others_named = (key for key in others if key in payload and re.search(_word(re.escape(key)), payload))
        return bool(re.search(_word(re.escape(company)), payload)) or not any(others_named)
    return customer in said and (company in said or not said & others)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _word(pattern: str) -> str:
    """A regular expression for what stands as a word of its own, for PostgreSQL and Python alike."""
    return rf"(^|\W){pattern}(\W|$)"


def _forms(name: str) -> list[str]:
    """A name as it is, and in the ways in which JSON may write it, escaped for a regular expression."""
    in_ascii, in_unicode = (json.dumps(name, ensure_ascii=ascii)[1:-1] for ascii in (True, False))
    capitals = re.sub(r"\\u[0-9a-f]{4}", lambda code: "\\u" + code[0][2:].upper(), in_ascii)
    written = {name, in_ascii, in_unicode, capitals}
    written |= {form.replace("/", "\\/") for form in written}
    return sorted(map(re.escape, written))
