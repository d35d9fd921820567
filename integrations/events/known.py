"""Events as they were known at an instant: without what was received later, and with what was taken out later."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg import Connection, sql

from integrations.events.contract import VOID
from integrations.events.publish import STORED_COLUMNS
from integrations.events.voids import TARGET

__all__ = ["EventsArchived", "LaterLoads", "later_loads", "take_back"]

LATER = "select load_id, feed, usage_dates from raw.loads where received_at > %s order by load_id"
ARCHIVED = """
    select min(usage_date), max(usage_date) from raw.archived_dates where restored_at is null and usage_date = any(%s)
"""
# A load changes nothing but companies of which it has rows, on its usage dates.
TOUCHED = """
    create temporary table touched_companies as
    select company_id from (
        select company_id from raw.usage_events where usage_date = any({dates}) and load_id = any({loads})
        union
        select company_id from raw.voids where load_id = any({loads})
        union
        select company_id from raw.replaced_events where replaced_by = any({loads})
    ) as touched
    where company_id >= {first} and company_id < {end}
"""
# A void may itself have been replaced since: what it said is then only in its event.
EVENTS = f"""
    create temporary table usage_events as
    with

    events as (
        select {{columns}} from raw.usage_events where usage_date = any({{dates}}) and load_id <> all({{loads}})
        union all
        select {{columns}} from raw.replaced_events
        where usage_date = any({{dates}}) and load_id <> all({{loads}}) and replaced_by = any({{loads}})
    ),

    voids as (
        select company_id, event_key from raw.voids where load_id <> all({{loads}})
        union
        select company_id, {TARGET} from raw.replaced_events as incoming
        where event_type = {{void}} and load_id <> all({{loads}}) and replaced_by = any({{loads}})
    )

    select events.* from events
    where company_id in (select company_id from pg_temp.touched_companies)
        and not exists (
            select from voids
            where voids.company_id = events.company_id
                and voids.event_key = raw.event_key(events.source, events.event_id)
        )
"""
VOIDS = "create temporary table voids (like raw.voids)"


class EventsArchived(RuntimeError):
    """What was known can't be told, since the events of a date that has changed since are archived."""


@dataclass(frozen=True)
class LaterLoads:
    """What was received after an instant: loads, the usage dates that they changed, and whether companies were told."""

    known_at: datetime
    load_ids: tuple[int, ...]
    usage_dates: tuple[date, ...]
    has_companies: bool


def later_loads(connection: Connection, known_at: datetime, first: date, end: date) -> LaterLoads:
    """What was received after `known_at`, with the usage dates in the half-open range from `first` to `end`."""
    rows = connection.execute(LATER, [known_at]).fetchall()
    dates = {day for _, _, days in rows for day in days if first <= day < end}
    has_companies = any(feed == "companies" for _, feed, _ in rows)
    return LaterLoads(known_at, tuple(row[0] for row in rows), tuple(sorted(dates)), has_companies)


def take_back(connection: Connection, later: LaterLoads, companies: range) -> None:
    """Make temporary tables of the session: companies that later loads have touched, and their events as they were.

    `touched_companies` (company_id) of the range; `usage_events` like raw.usage_events, of these companies and of the
    loads' usage dates, without what was voided; `voids`, empty.

    Raises:
        EventsArchived: naming the dates and the command that brings them back.
    """
    row = connection.execute(ARCHIVED, [list(later.usage_dates)]).fetchone()
    if row and row[0]:
        raise EventsArchived(
            f"Usage from {row[0]} to {row[1]} has changed since {later.known_at.isoformat()}, and its events are"
            f" archived: run `usage-pricing restore {row[0]} {row[1]}` and try again."
        )
    names: dict[str, sql.Composable] = {
        "columns": sql.SQL(", ").join(map(sql.Identifier, (*STORED_COLUMNS, "load_id"))),
        "dates": sql.Literal(list(later.usage_dates)),
        "loads": sql.Literal(list(later.load_ids)),
        "void": sql.Literal(VOID),
        "first": sql.Literal(companies.start),
        "end": sql.Literal(companies.stop),
    }
    for statement in (TOUCHED, EVENTS, VOIDS):
        connection.execute(sql.SQL(statement).format(**names))
    connection.execute("analyze pg_temp.touched_companies, pg_temp.usage_events")
