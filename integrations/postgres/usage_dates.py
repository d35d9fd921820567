"""Which usage dates must be rebuilt: state, not a cursor. A load marks a date, a build clears what it has captured.

Whoever writes several dates locks them in order, since loads and builds do so at the same time.
"""

from collections.abc import Iterable
from datetime import date, datetime

from psycopg import Connection

__all__ = [
    "capture_versions",
    "dirty_dates",
    "mark_built",
    "mark_dirty",
    "mark_dirty_from",
    "mark_ended",
    "mark_rated",
    "open_calendar",
    "unrated_dates",
]


IS_ARCHIVED = """
    exists (
        select from raw.archived_dates as archived
        where archived.restored_at is null
            and date_trunc('month', archived.usage_date) = date_trunc('month', state.usage_date)
    )
"""


def dirty_dates(connection: Connection) -> list[date]:
    """The dates whose marts lag behind the events, in order; those of archived months can't be built."""
    rows = connection.execute(
        f"""
        select usage_date from ops.usage_date_state as state
        where built_version < dirty_version and not {IS_ARCHIVED} order by usage_date
        """.encode()
    )
    return [row[0] for row in rows]


def open_calendar(connection: Connection, today: date) -> None:
    """Have a row for every date between the first one and `today`, so that days without events get their zero rows."""
    connection.execute(
        """
        insert into ops.usage_date_state (usage_date, dirty_version)
        select day::date, 1
        from generate_series((select min(usage_date) from ops.usage_date_state), %s::date, interval '1 day') as day
        on conflict do nothing
        """,
        [today],
    )


def mark_ended(connection: Connection, now: datetime) -> None:
    """Mark the dates that were built while they lasted for some company and have ended for it since."""
    found = connection.execute("select to_regclass('marts.fct_usage_daily') is not null").fetchone()
    if found == (True,):
        rows = connection.execute(
            f"""
            select distinct usage_date from marts.fct_usage_daily
            inner join ops.usage_date_state as state using (usage_date)
            where not is_day_complete and day_ends_at <= %s
                and state.built_version = state.dirty_version and not {IS_ARCHIVED}
            """.encode(),
            [now],
        )
        mark_dirty(connection, [day for (day,) in rows])


def mark_dirty(connection: Connection, dates: Iterable[date]) -> None:
    """Mark the dates whose events changed."""
    connection.execute(
        """
        insert into ops.usage_date_state as state (usage_date, dirty_version)
        select date, 1 from unnest(%s::date[]) as date
        on conflict (usage_date) do update set dirty_version = state.dirty_version + 1
        """,
        [sorted(dates)],
    )


def mark_dirty_from(connection: Connection, first: date) -> None:
    """Mark every known date from `first` on: a reference feed changed what is said about them.

    Archived months keep what was said when their events were archived.
    """
    connection.execute(
        f"""
        with locked as (
            select usage_date from ops.usage_date_state as state
            where usage_date >= %s and not {IS_ARCHIVED} order by usage_date for update
        )
        update ops.usage_date_state as state set dirty_version = dirty_version + 1
        from locked where state.usage_date = locked.usage_date
        """.encode(),
        [first],
    )


def capture_versions(connection: Connection, first: date, last: date) -> dict[date, int]:
    """The versions that a build beginning now will have covered; what is marked during the build stays dirty."""
    rows = connection.execute(
        "select usage_date, dirty_version from ops.usage_date_state where usage_date between %s and %s", [first, last]
    )
    return dict(rows.fetchall())


def mark_built(connection: Connection, versions: dict[date, int]) -> None:
    """Store that the captured versions are built."""
    connection.execute(
        """
        with locked as (
            select usage_date from ops.usage_date_state where usage_date = any(%(dates)s) order by usage_date for update
        ),
        captured as (select * from unnest(%(dates)s::date[], %(versions)s::bigint[]) as captured (usage_date, version))
        update ops.usage_date_state as state set built_version = greatest(built_version, captured.version)
        from locked join captured using (usage_date) where state.usage_date = locked.usage_date
        """,
        {"dates": list(versions), "versions": list(versions.values())},
    )


def unrated_dates(connection: Connection) -> dict[date, int]:
    """The dates that were built since they were last rated, with the version that was built."""
    rows = connection.execute(
        "select usage_date, built_version from ops.usage_date_state where built_version <> rated_version"
    )
    return dict(rows.fetchall())


def mark_rated(connection: Connection, versions: dict[date, int]) -> None:
    """Store that the captured versions are rated."""
    connection.execute(
        """
        with locked as (
            select usage_date from ops.usage_date_state where usage_date = any(%(dates)s) order by usage_date for update
        ),
        captured as (select * from unnest(%(dates)s::date[], %(versions)s::bigint[]) as captured (usage_date, version))
        update ops.usage_date_state as state set rated_version = captured.version
        from locked join captured using (usage_date) where state.usage_date = locked.usage_date
        """,
        {"dates": list(versions), "versions": list(versions.values())},
    )
