"""What the database itself keeps of experiments."""

import psycopg
import pytest

DECLARED = (
    "insert into ml.pricing_experiments"
    " (experiment_key, experiment_name, variant_a, variant_b, metrics_tracked, design,"
    " start_date, created_at) values ('x', 'X', '1', '2', '[]', '{\"looks\": 5}', '2026-11-01', now())"
    " returning experiment_id"
)
LOOK = (
    "insert into ml.experiment_looks (experiment_id, number, step, taken_at, count_a, count_b, information_fraction,"
    " sample_ratio_p_value, is_final, outcome) values (%s, 1, 1, now(), 10, 10, 0.2, 1, false, 'continue')"
)
SET = "update ml.pricing_experiments set {} where experiment_id = %s"
START, CANCEL = "status = 'active', started_at = now()", "status = 'cancelled', ended_at = now()"
COMPLETE = "status = 'completed', ended_at = now(), winner = 'b', statistical_significance = 0.012346"


@pytest.fixture
def experiment(connection) -> int:
    return connection.execute(DECLARED).fetchone()[0]


@pytest.fixture
def update(connection, experiment):
    def run(*changes: str) -> None:
        for change in changes:
            connection.execute(SET.format(change).encode(), [experiment])

    return run


def test_a_plan_may_change_until_it_begins(connection, experiment, update):
    update("design = '{\"looks\": 3}'", "start_date = '2026-12-01'", START)
    for change in (
        "design = '{\"looks\": 9}'",
        "variant_b = '3'",
        "metrics_tracked = '[1]'",
        "start_date = '2026-10-01'",
    ):
        with pytest.raises(psycopg.errors.RaiseException, match="what was declared can't be changed"):
            update(change)
    assert connection.execute("select design from ml.pricing_experiments").fetchone() == ({"looks": 3},)


@pytest.mark.parametrize("ways", [(START, COMPLETE), (START, CANCEL), (CANCEL,)])
def test_an_experiment_goes_forward_and_what_has_ended_stays(connection, experiment, update, ways):
    update(*ways)
    for change in ("status = 'active'", "status = 'planned'", "winner = null", "end_date = now()"):
        with pytest.raises(psycopg.errors.RaiseException):
            update(change)
    with pytest.raises(psycopg.errors.RaiseException, match="what was begun is kept"):
        connection.execute("delete from ml.pricing_experiments")


@pytest.mark.parametrize(
    "changes",
    [
        (COMPLETE,),
        (START, "status = 'planned'"),
        ("status = 'active'",),
        (START, "status = 'completed'"),
        ("winner = 'b'",),
    ],
)
def test_a_way_that_there_is_not_is_refused(update, changes):
    with pytest.raises((psycopg.errors.RaiseException, psycopg.errors.CheckViolation)):
        update(*changes)


def test_a_plan_that_never_began_may_be_deleted(connection, experiment):
    assert connection.execute("delete from ml.pricing_experiments").rowcount == 1


def test_looks_stay_as_they_were_taken(connection, experiment):
    connection.execute(LOOK, [experiment])
    for statement in ("update ml.experiment_looks set p_value = 0.01", "delete from ml.experiment_looks"):
        with pytest.raises(psycopg.errors.RaiseException, match="is kept as it was taken"):
            connection.execute(statement)
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(LOOK, [experiment])


def test_a_company_has_one_variant_of_an_experiment(connection, experiment):
    insert = "insert into ml.experiment_assignments values (1, %s, %s, 'hybrid/low', 0, now())"
    connection.execute(insert, [experiment, "a"])
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(insert, [experiment, "b"])
