"""What loads of events leave in the database, without the ids and times that differ from one run to the next."""

from datetime import UTC, datetime

import psycopg

from integrations.events.feeds import load_feed
from tests.feeds import company, lines

RECEIVED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMED = "company_key as company, file_name as file"
EVENT = "to_jsonb(e) - 'load_id' - 'company_id' as event"
FROM = "inner join raw.loads using (load_id) inner join raw.company_ids using (company_id)"
# A row that was read well before it was refused is kept as JSON, with ids of its own.
PAYLOAD = """
    case when reason in ('conflict', 'too_late', 'discarded') and payload like '{%'
        then (payload::jsonb - 'load_id' - 'company_id')::text else payload end
"""
QUERIES = {
    "usage_events": f"select {NAMED}, {EVENT} from raw.usage_events as e {FROM}",
    "held_events": f"select {NAMED}, {EVENT} from raw.held_events as e {FROM}",
    "event_keys": f"select {NAMED}, event_key, content_hash, line, usage_date from raw.event_keys {FROM}",
    "voids": f"select {NAMED}, event_key, source, event_id, voided_by, usage_date from raw.voids {FROM}",
    "rejected_events": f"""
        select file_name as file, line, reason, field, rejected.message, {PAYLOAD} as payload
        from raw.rejected_events as rejected inner join raw.loads using (load_id)
    """,
    "loads": """
        select to_jsonb(loads) - 'load_id' - 'received_at' - 'file_modified_at' as load from raw.loads
        where feed = 'events'
    """,
    "usage_date_state": "select usage_date, dirty_version from ops.usage_date_state",
}


def left_behind(connection: psycopg.Connection) -> dict[str, list[dict]]:
    """The rows of every table that a load of events writes, in an order of their own; loads by their file's name."""
    found = {}
    for table, query in QUERIES.items():
        rows = connection.execute(f"select to_jsonb(found) from ({query}) as found".encode()).fetchall()
        found[table] = sorted((row for (row,) in rows), key=repr)
    return found


def without(rows: list[dict], *columns: str) -> list[dict]:
    """The rows less some columns."""
    return sorted(({name: value for name, value in row.items() if name not in columns} for row in rows), key=repr)


def counts_that_do_not_add_up(connection: psycopg.Connection) -> list[tuple]:
    """The loads whose read is not inserted + duplicate + rejected + filtered, or that have other rows."""
    return connection.execute(
        """
        select file_name, loads.* from raw.loads
        where feed = 'events' and (
            count_read <> count_inserted + count_duplicate + count_rejected + count_filtered
            or count_rejected <> (select count(*) from raw.rejected_events as r where r.load_id = loads.load_id)
            or count_inserted <> case status
                when 'held' then (select count(*) from raw.held_events as h where h.load_id = loads.load_id)
                else (select count(*) from raw.event_keys as k where k.load_id = loads.load_id) end
            or (select count(*) from raw.event_keys as k where k.load_id = loads.load_id)
                <> (select count(*) from raw.usage_events as e where e.load_id = loads.load_id)
        )
        """
    ).fetchall()


def know_companies(connection: psycopg.Connection, folder) -> None:
    """Load two companies, in Berlin and in New York, from a file in `folder`."""
    path = folder / "companies.ndjson"
    york = company("york", time_zone="America/New_York", currency="USD", country="US")
    path.write_text(lines(company(), york))
    load_feed(connection, "companies", path, RECEIVED_AT)
