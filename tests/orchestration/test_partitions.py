"""Usage dates in ranges, and the clock that belongs to a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from orchestration import clock, worlds
from orchestration.partitions import contiguous_ranges

FIRST = date(2026, 10, 1)


def days(*offsets: int) -> list[date]:
    return [FIRST + timedelta(days=offset) for offset in offsets]


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ((), []),
        ((3,), [(3, 3)]),
        ((0, 1, 2), [(0, 2)]),
        ((0, 2), [(0, 0), (2, 2)]),
        ((5, 0, 1, 7, 6), [(0, 1), (5, 7)]),
    ],
)
def test_dates_become_ranges_without_gaps(offsets, expected):
    assert contiguous_ranges(days(*offsets)) == [(days(first)[0], days(last)[0]) for first, last in expected]


def test_the_clock_can_be_set_and_is_real_otherwise(connection):
    assert clock.now(connection) > datetime(2026, 1, 1, tzinfo=UTC)
    instant = datetime(1999, 2, 8, 6, tzinfo=UTC)
    clock.set_simulated_now(connection, instant)
    assert clock.now(connection) == instant
    with pytest.raises(ValueError, match="no time zone"):
        clock.set_simulated_now(connection, datetime(1999, 2, 8))  # noqa: DTZ001


def test_only_a_simulated_world_may_be_thrown_away(connection):
    with pytest.raises(worlds.NotSimulated, match="does not hold a simulated world"):
        worlds.wipe(connection)
    worlds.mark_simulated(connection)
    assert worlds.is_simulated(connection)
    worlds.wipe(connection)
    assert connection.execute("select to_regclass('raw.loads')").fetchone() == (None,)


def test_a_database_with_real_loads_is_never_taken_for_a_simulated_world(connection):
    connection.execute(
        "insert into raw.loads (feed, file_name, fingerprint, file_size, file_modified_at, status, received_at)"
        " values ('events', 'a', 'b', 1, now(), 'published', now())"
    )
    with pytest.raises(worlds.NotSimulated, match="1 loads that are not the simulator's"):
        worlds.mark_simulated(connection)


@pytest.mark.parametrize(("now", "expected"), [("1999-01-03", [("1999-01-01", "1999-01-03")]), ("1998-12-31", None)])
def test_usage_before_the_first_partition_keeps_no_later_date_waiting(pipeline, now, expected):
    from orchestration.defs.transformation.sensors import ranges_due

    pipeline.set_clock(datetime.fromisoformat(f"{now}T12:00:00+00:00"))
    with pipeline.connect() as connection:
        connection.execute("insert into ops.usage_date_state (usage_date, dirty_version) values ('1998-12-30', 1)")
        if expected is None:
            with pytest.raises(ValueError, match="Set FIRST_USAGE_DATE=1998-12-30 or earlier"):
                ranges_due(connection)
        else:
            assert [(str(first), str(last)) for first, last in ranges_due(connection)] == expected
