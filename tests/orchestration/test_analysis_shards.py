"""What is found does not depend on how the companies were split."""

from datetime import timedelta

import numpy as np
import pytest

from integrations.postgres.warehouse import Warehouse
from ml.analysis.characteristics import describe_companies, pooled_profile
from ml.analysis.cube import usage_cube
from orchestration.analysis_inputs import (
    read_activity,
    read_heatmap,
    read_hourly,
    read_pooled_profile,
    read_windows,
    span,
)
from orchestration.analysis_shards import describe_shard, find_shard_patterns, pooled_hours, shards_of
from orchestration.shards import run_shards, total
from tests.orchestration.shard_work import KNOWN_AT
from tests.orchestration.usage_world import AS_OF, make_usage

PATTERNS, CHARACTERISTICS = "ml.usage_patterns", "ml.business_characteristics"


@pytest.fixture
def usage(connection, database_url, monkeypatch):
    monkeypatch.setenv("ANALYSIS_WORKERS", "1")
    make_usage(connection)
    return Warehouse(database_url)


def analyse(warehouse, size=500, dates=(AS_OF,)):
    """Both analyses; their counts."""
    patterns = run_shards(find_shard_patterns, shards_of(warehouse, dates, KNOWN_AT, size=size))
    described = run_shards(describe_shard, shards_of(warehouse, dates, KNOWN_AT, pooled_hours(KNOWN_AT), size))
    return total(patterns), total(described)


def cube_of_all(connection):
    return usage_cube(read_hourly(connection, span(AS_OF, KNOWN_AT)), read_windows(connection, span(AS_OF, KNOWN_AT)))


def rows(connection, table):
    return connection.execute(f"select to_jsonb(t) from {table} as t order by t::text".encode()).fetchall()


def both(connection):
    return rows(connection, PATTERNS), rows(connection, CHARACTERISTICS)


def test_shards_of_one_of_three_and_of_all_companies_give_the_same_rows(connection, usage):
    found = {}
    for size, count in ((500, 1), (3, 3), (1, 7)):
        patterns, described = analyse(usage, size)
        assert patterns == {"shards": count, "companies": 7, "rows": 28}
        assert described == {"shards": count, "companies": 7, "rows": 7}
        found[size] = both(connection)
        connection.execute("truncate ml.usage_patterns, ml.business_characteristics")
    assert found[1] == found[3] == found[500]
    night = {row["company_id"] for (row,) in found[500][1] if row["has_unique_patterns"]}
    assert night == {5}


def test_shards_give_what_all_companies_at_once_give(connection, usage):
    analyse(usage, 2)
    over = span(AS_OF, KNOWN_AT)
    activity = read_activity(connection, over)
    expected = describe_companies(read_hourly(connection, over), read_windows(connection, over), activity)
    stored = usage.read(f"select * from {CHARACTERISTICS} order by company_id")
    for column in ("business_type", "volume_category", "has_unique_patterns", "service_complexity"):
        assert stored[column].tolist() == expected[column].tolist()
    np.testing.assert_allclose(stored["calls_per_14_days"], expected["calls_per_14_days"])


def test_the_pooled_profile_of_the_database_is_that_of_the_analysis(connection, usage):
    expected = pooled_profile(cube_of_all(connection).calls.sum(axis=1))
    np.testing.assert_allclose(read_pooled_profile(connection, span(AS_OF, KNOWN_AT)), expected, atol=1e-12)
    assert expected[0] > 0
    assert read_pooled_profile(connection, span(AS_OF - timedelta(days=365), KNOWN_AT)).tolist() == [0] * 24


def test_the_heatmap_counts_the_calls_of_all_windows(connection, usage):
    cube = cube_of_all(connection)
    expected = [[cube.calls[cube.weekdays == day][:, hour].sum() for hour in range(24)] for day in range(7)]
    assert read_heatmap(connection, span(AS_OF, KNOWN_AT)).tolist() == expected


def test_a_shard_reads_its_own_companies_only(connection, usage):
    over = span(AS_OF, KNOWN_AT, range(2, 5))
    for read, ids in ((read_windows, [2, 3, 4]), (read_hourly, [2, 3, 4]), (read_activity, [2, 3, 4])):
        assert sorted(read(connection, over)["company_id"].unique()) == ids


def test_a_second_run_changes_nothing_and_touches_no_other_date(connection, usage):
    dates = [AS_OF - timedelta(days=1), AS_OF]
    analyse(usage, 3, dates)
    before = both(connection)
    assert len(before[0]) == 2 * 28
    analyse(usage, 2)
    assert both(connection) == before


def test_rows_of_companies_that_are_no_longer_active_go(connection, usage):
    analyse(usage, 3)
    connection.execute("delete from marts.dim_companies where company_id in (1, 4, 7)")
    analyse(usage, 3)
    for table in (PATTERNS, CHARACTERISTICS):
        left = connection.execute(f"select distinct company_id from {table} order by 1".encode()).fetchall()
        assert left == [(2,), (3,), (5,), (6,)]


def test_a_world_without_companies_is_one_shard_without_rows(connection, usage):
    analyse(usage)
    connection.execute("delete from marts.dim_companies")
    assert [counts["rows"] for counts in analyse(usage)] == [0, 0]
    assert both(connection) == ([], [])
