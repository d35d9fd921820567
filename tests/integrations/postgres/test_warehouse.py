from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import psycopg
import pytest

from integrations.postgres.warehouse import Warehouse, append_rows, read_frame, replace_rows

TYPES = """
    select 1::bigint as whole, 1.5::float8 as real, 2.50::numeric(10, 2) as money, 'a' as text, true as flag,
        date '2026-03-29' as day, timestamptz '2026-03-29 01:30:00+02' as instant, '{"a": [1]}'::jsonb as document
"""


@pytest.fixture
def table(connection):
    connection.execute(
        """
        create table ml.things (
            company_id bigint, name text, value double precision, document jsonb, at timestamptz, day date,
            amount numeric(20, 6), is_new boolean, primary key (company_id, name)
        )
        """
    )
    return "ml.things"


def things(connection):
    return connection.execute("select company_id, name, value from ml.things order by 1, 2").fetchall()


@pytest.mark.parametrize("where", ["true", "false"], ids=["with a row", "without rows"])
def test_a_frame_has_the_types_of_its_query(connection, where):
    frame = read_frame(connection, f"{TYPES} where {where}")
    assert [frame[name].dtype.kind for name in ("whole", "real", "flag", "day", "instant")] == list("ifbMM")
    assert frame["day"].dt.tz is None
    assert str(frame["instant"].dt.tz) == "UTC"


def test_values_come_as_they_are_used(connection):
    row = read_frame(connection, TYPES).iloc[0]
    assert row["day"] == pd.Timestamp("2026-03-29")
    assert row["instant"] == pd.Timestamp("2026-03-28T23:30:00Z")
    assert (row["money"], row["document"]) == (Decimal("2.50"), {"a": [1]})


def test_instants_are_utc_whatever_zone_the_session_has(connection):
    connection.execute("set timezone = 'America/New_York'")
    frame = read_frame(connection, "select timestamptz '2026-11-01 06:30:00+00' as at union all select null")
    assert frame["at"][0] == pd.Timestamp("2026-11-01T06:30:00Z")
    assert frame["at"].isna().tolist() == [False, True]


def test_a_column_that_is_null_throughout_stays_a_column(connection):
    frame = read_frame(connection, "select null::date as day, null::bigint as whole")
    assert frame.isna().all(axis=None)


@pytest.mark.parametrize("parameters", [{"low": 2}, [2]])
def test_parameters_go_by_name_or_by_position(database_url, parameters):
    place = "%(low)s" if isinstance(parameters, dict) else "%s"
    frame = Warehouse(database_url).read(f"select n from generate_series(1, 3) as n where n >= {place}", parameters)
    assert frame["n"].tolist() == [2, 3]


def test_executing_tells_how_many_rows_it_touched(database_url):
    assert Warehouse(database_url).execute("update ops.settings set value = %s", ["2026-01-01"]) == 1


def test_appending_counts_what_was_new_and_keeps_what_was_there(connection, table):
    assert append_rows(connection, table, [{"company_id": 1, "name": "a", "value": 1.0}]) == 1
    again = [{"company_id": 1, "name": name, "value": 2.0} for name in "abcc"]
    assert append_rows(connection, table, again) == 2
    assert things(connection) == [(1, "a", 1.0), (1, "b", 2.0), (1, "c", 2.0)]


def test_appending_nothing_adds_nothing(connection, table):
    assert append_rows(connection, table, iter([])) == 0


def test_rows_may_name_their_columns_in_any_order(connection, table):
    rows = [{"company_id": 1, "name": "a", "value": 5}, {"value": 7, "name": "b", "company_id": 2}]
    append_rows(connection, table, rows)
    assert things(connection) == [(1, "a", 5), (2, "b", 7)]


def test_rows_with_different_columns_are_refused_by_name(connection, table):
    rows = [{"company_id": 1, "name": "a"}, {"company_id": 1, "name": "b", "value": 1}]
    with pytest.raises(ValueError, match=r"ml\.things.*value"):
        append_rows(connection, table, rows)
    assert things(connection) == []


@pytest.mark.parametrize(
    ("column", "given", "stored"),
    [
        ("value", float("nan"), None),
        ("value", np.float64("nan"), None),
        ("value", np.float32(0.5), 0.5),
        ("value", np.int64(3), 3.0),
        ("value", pd.NA, None),
        ("value", None, None),
        ("is_new", np.bool_(True), True),
        ("name", np.str_("z"), "z"),
        ("amount", Decimal("1.250000"), Decimal("1.25")),
        ("amount", Decimal("NaN"), None),
        ("document", {"a": [1, None, {"b": "c"}]}, {"a": [1, None, {"b": "c"}]}),
        ("document", [1, 2], [1, 2]),
        ("document", (1, 2), [1, 2]),
        ("document", {}, {}),
        ("at", pd.Timestamp("2026-03-29T01:30:00+01:00"), datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
        ("at", datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC)),
        ("at", pd.NaT, None),
        ("day", pd.Timestamp("2026-03-29"), date(2026, 3, 29)),
        ("day", np.datetime64("2026-03-29T00:00:00.000000000"), date(2026, 3, 29)),
        ("day", np.datetime64("NaT"), None),
        ("day", date(2026, 3, 29), date(2026, 3, 29)),
    ],
)
def test_what_pandas_and_numpy_hold_is_stored(connection, table, column, given, stored):
    append_rows(connection, table, [{"company_id": 1, "name": "a", column: given}])
    assert connection.execute(f"select {column} from ml.things".encode()).fetchone() == (stored,)


def test_replacing_touches_only_the_rows_of_its_key(connection, table):
    append_rows(connection, table, [{"company_id": c, "name": n, "value": 1} for c in (1, 2) for n in "ab"])
    assert replace_rows(connection, table, {"company_id": 1}, [{"company_id": 1, "name": "c", "value": 9}]) == 1
    assert things(connection) == [(1, "c", 9), (2, "a", 1), (2, "b", 1)]


def test_replacing_with_nothing_deletes(connection, table):
    append_rows(connection, table, [{"company_id": 1, "name": "a", "value": 1}])
    assert replace_rows(connection, table, {"company_id": np.int64(1), "name": "a"}, []) == 0
    assert things(connection) == []


def test_a_replacement_that_fails_leaves_what_was_there(connection, table):
    append_rows(connection, table, [{"company_id": 1, "name": "a", "value": 1}])
    rows = [{"company_id": 1, "name": name} for name in ("b", None)]
    with pytest.raises(psycopg.errors.NotNullViolation):
        replace_rows(connection, table, {"company_id": 1}, rows)
    assert things(connection) == [(1, "a", 1)]


def test_replacing_and_reading_give_the_frame_back(connection, database_url, table):
    frame = pd.DataFrame({"company_id": [1, 2], "name": ["a", "b"], "value": [0.5, np.nan]})
    replace_rows(connection, table, {"company_id": 1}, frame.to_dict("records"))
    read = Warehouse(database_url).read("select company_id, name, value from ml.things order by 1")
    assert read["value"].tolist()[0] == 0.5
    assert pd.isna(read["value"][1])


def test_replacing_a_range_of_keys_is_half_open(connection, table):
    append_rows(connection, table, [{"company_id": c, "name": "a", "value": 1} for c in (1, 2, 3, 4)])
    assert replace_rows(connection, table, {"name": "a", "company_id": range(2, 4)}, []) == 0
    assert things(connection) == [(1, "a", 1), (4, "a", 1)]
