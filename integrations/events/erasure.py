"""Forget a customer of a company: a pseudonym takes the place of the name wherever it was kept."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from integrations.events.archive import Archive
from integrations.events.contract import VOID
from integrations.events.publish import PUBLISH_LOCK

__all__ = ["Erasure", "erase_customer"]

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
PROPERTIES = sql.SQL(
    ", properties = case when event_type = {} then jsonb_build_object('voids', properties -> 'voids') end"
).format(sql.Literal(VOID))
# A refused line may be of any shape: it goes when it names the customer, and this company or none that is known.
REDACT = """
    update raw.rejected_events set payload = '{"erased": true}', message = 'the line was erased on request'
    where payload ~ any(%(customer)s) and (
        payload ~ %(company)s
        or not exists (select from raw.company_ids where position(company_key in rejected_events.payload) > 0)
    )
"""
# A replay is no file: its lines lie in the file of the load that was replayed.
FILES = """
    with recursive named as (
        (
            select load_id from raw.usage_events where company_id = %(company)s and customer = %(customer)s
            union
            select load_id from raw.held_events where company_id = %(company)s and customer = %(customer)s
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
        files: those whose events, held ones included, named the customer; they are for their owner to delete. Files
            whose events were all archived or refused are not among them.
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
    """
    found = connection.execute("select company_id from raw.company_ids where company_key = %s", [company]).fetchone()
    if found is None:
        raise LookupError(f"No company {company!r} is known.")
    company_id, pseudonym = found[0], f"erased-{token_hex(8)}"
    files = [name for (name,) in connection.execute(FILES, {"company": company_id, "customer": customer})]
    counts = {"archive": archive.rewrite(connection, company_id, customer, pseudonym)}
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISH_LOCK])
        for schema, table, has_properties in connection.execute(TABLES).fetchall():
            statement = sql.SQL("update {} set customer = %s{} where company_id = %s and customer = %s").format(
                sql.Identifier(schema, table), PROPERTIES if has_properties else sql.SQL("")
            )
            changed = connection.execute(statement, [pseudonym, company_id, customer]).rowcount
            counts[f"{schema}.{table}"] = changed
        patterns = {"customer": _forms(customer), "company": _forms(company)[0]}
        counts["raw.rejected_events"] = connection.execute(REDACT, patterns).rowcount
        if any(counts.values()):
            connection.execute(
                "insert into ops.erasures (company_id, pseudonym, reference, counts, erased_at)"
                " values (%s, %s, %s, %s, %s)",
                [company_id, pseudonym, reference, Jsonb(counts), now],
            )
    return Erasure(pseudonym, counts, files)


def _forms(name: str) -> list[str]:
    """Regular expressions for a name as a word of its own: as it is, and as JSON writes it."""
    written = {name, json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1]}
    return [f"(^|[^[:alnum:]]){re.escape(form)}([^[:alnum:]]|$)" for form in sorted(written)]
