"""Experiments from their creation to their end, on marts of a few hundred companies."""

from datetime import date, timedelta

import pytest
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from ml.experiments.design import Design
from ml.rating.catalogue import default_catalogue, load_catalogue
from orchestration.experiment_outcomes import read_outcomes
from orchestration.experiments import NoExperiment, create, design_of_recommendation, look, start, stop
from tests.orchestration.experiment_world import BEGIN, DECLARED, MARTS, add_companies, decide

DESIGN = Design.model_validate(DECLARED)


@pytest.fixture
def marts(connection):
    connection.execute(MARTS)
    return connection


@pytest.fixture
def running(marts):
    """An active experiment with 120 companies, of the 86 that the design needs."""
    add_companies(marts, 0, 120)
    create(marts, DESIGN, date(2026, 11, 1), BEGIN)
    assert start(marts, "cheaper", BEGIN) == 120
    return marts


def row_of(connection, columns: str) -> tuple:
    return connection.execute(f"select {columns} from ml.pricing_experiments".encode()).fetchone()


def test_a_design_is_created_once(marts):
    assert create(marts, DESIGN, date(2026, 11, 1), BEGIN)
    assert not create(marts, DESIGN, date(2026, 12, 1), BEGIN + timedelta(days=1))
    assert row_of(marts, "experiment_name, metrics_tracked, start_date, status, design") == (
        "Cheaper minutes",
        ["acceptance", "trial_conversion"],
        date(2026, 11, 1),
        "planned",
        DESIGN.model_dump(mode="json"),
    )
    with pytest.raises(NoExperiment, match="there is another experiment cheaper"):
        create(marts, DESIGN.model_copy(update={"looks": 3}), date(2026, 11, 1), BEGIN)


def test_those_take_part_who_are_billed_in_the_currency_and_are_customers(marts):
    add_companies(marts, 0, 2)
    add_companies(marts, 2, 3, currency="USD")
    add_companies(marts, 3, 4, subscription_status="cancelled")
    add_companies(marts, 4, 5, lifecycle_day=-1)
    add_companies(marts, 5, 6, plan_key=None, subscription_status=None)
    create(marts, DESIGN, BEGIN.date(), BEGIN)
    assert start(marts, "cheaper", BEGIN) == 3
    found = marts.execute("select company_id, stratum from ml.experiment_assignments order by 1").fetchall()
    assert found == [(0, "hybrid/unknown"), (1, "hybrid/unknown"), (5, "none/unknown")]


def test_a_test_of_a_plan_takes_companies_on_that_plan(marts):
    add_companies(marts, 0, 4)
    add_companies(marts, 4, 6, plan_key="volumen")
    create(marts, DESIGN.model_copy(update={"plan_keys": ("volumen",)}), BEGIN.date(), BEGIN)
    assert start(marts, "cheaper", BEGIN) == 2


def test_who_comes_later_gets_the_next_places_and_nobody_changes(running):
    before = running.execute("select company_id, arm from ml.experiment_assignments order by 1").fetchall()
    add_companies(running, 120, 130)
    assert look(running, "cheaper", BEGIN + timedelta(days=1)).joined == 10
    assert look(running, "cheaper", BEGIN + timedelta(days=2)).joined == 0
    after = running.execute("select company_id, arm, position from ml.experiment_assignments order by 1").fetchall()
    assert [row[:2] for row in after[:120]] == before
    assert sorted(row[2] for row in after[120:]) == list(range(120, 130))
    assert [arm for _, arm, _ in after].count("a") == pytest.approx(65, abs=1)


def test_nothing_is_read_before_the_days_of_observation_are_over(running):
    decide(running, {"a": 1, "b": 9})
    found = look(running, "cheaper", BEGIN + timedelta(days=30, seconds=-1))
    assert (found.counts, found.look) == ((0, 0), None)
    assert running.execute("select count(*) from ml.experiment_looks").fetchone() == (0,)


def test_the_declared_rule_ends_it_with_a_winner_once(running):
    decide(running, {"a": 2, "b": 8})
    found = look(running, "cheaper", BEGIN + timedelta(days=30))
    assert (found.counts, found.look.outcome, found.look.is_final) == ((60, 60), "winner", True)
    status, winner, significance, end_date = row_of(running, "status, winner, statistical_significance, end_date")
    assert (status, winner, end_date) == ("completed", "b", date(2026, 12, 10))
    assert 0 <= significance < 0.0001
    assert significance.as_tuple().exponent == -6
    (results,) = running.execute("select results from ml.experiment_looks").fetchone()
    assert results[0]["a"] == {"companies": 60, "numerator": 12, "denominator": 60}
    assert results[0]["effect"] == pytest.approx(0.6)
    assert results[0]["low"] < 0.6 < results[0]["high"]
    assert (results[1]["metric"], results[1]["effect"]) == ("trial_conversion", None)
    with pytest.raises(NoExperiment, match="cheaper is completed; only an active experiment is looked at"):
        look(running, "cheaper", BEGIN + timedelta(days=31))


def test_without_a_difference_it_ends_without_a_winner(running):
    decide(running, {"a": 3, "b": 3})
    found = look(running, "cheaper", BEGIN + timedelta(days=30))
    assert found.look.outcome == "no_difference"
    assert row_of(running, "status, winner, statistical_significance > 0.9") == ("completed", None, True)


def test_a_look_is_taken_once_and_the_next_one_knows_it(marts):
    add_companies(marts, 0, 60)
    create(marts, DESIGN, BEGIN.date(), BEGIN)
    start(marts, "cheaper", BEGIN)
    decide(marts, {"a": 3, "b": 5})
    first = look(marts, "cheaper", BEGIN + timedelta(days=30))
    assert (first.look.step, first.look.outcome) == (1, "continue")
    assert look(marts, "cheaper", BEGIN + timedelta(days=30)).look is None
    last = look(marts, "cheaper", BEGIN + timedelta(days=DESIGN.last_day))
    assert (last.look.step, last.look.is_final, last.look.outcome) == (2, True, "no_difference")
    assert marts.execute("select number, step from ml.experiment_looks order by 1").fetchall() == [(1, 1), (2, 2)]


def test_a_variant_that_hides_companies_is_told_and_has_no_winner(running):
    decide(running, {"a": 9, "b": 9})
    hidden = "select company_id from ml.experiment_assignments where arm = 'b' limit 45"
    running.execute(f"delete from marts.fct_recommendations where company_id in ({hidden})".encode())
    found = look(running, "cheaper", BEGIN + timedelta(days=DESIGN.last_day))
    assert (found.counts, found.look.outcome) == ((60, 15), "sample_ratio_mismatch")
    assert running.execute("select effect, p_value, results from ml.experiment_looks").fetchall() == [(None, None, [])]
    assert row_of(running, "status, winner") == ("active", None)


def test_an_experiment_that_is_stopped_has_no_winner_and_does_not_start_again(running):
    stop(running, "cheaper", BEGIN + timedelta(days=4))
    assert row_of(running, "status, winner, end_date") == ("cancelled", None, date(2026, 11, 14))
    with pytest.raises(NoExperiment, match="cheaper: an experiment that is cancelled can't become active"):
        start(running, "cheaper", BEGIN)
    with pytest.raises(NoExperiment, match="there is no experiment dearer"):
        stop(running, "dearer", BEGIN)


@pytest.fixture
def outcome(marts):
    """The numerator and denominator of company 1, assigned on 10 November 13:00 in Berlin."""
    add_companies(marts, 1, 2)
    create(marts, DESIGN, BEGIN.date(), BEGIN)
    start(marts, "cheaper", BEGIN)
    (experiment_id,) = row_of(marts, "experiment_id")

    def read(metric: str, days: int, statement: str, rows: list[tuple]) -> tuple[float, float]:
        with marts.cursor() as cursor:
            cursor.executemany(statement, rows)
        design = DESIGN.model_copy(update={"observation_days": days})
        found = read_outcomes(marts, experiment_id, design, metric, BEGIN + timedelta(days=days))
        return found.numerator.tolist()[0], found.denominator.tolist()[0]

    return read


def test_decisions_count_from_the_assignment_to_the_end_of_the_observation(outcome):
    minute, end = timedelta(minutes=1), BEGIN + timedelta(days=30)
    rows = [
        (BEGIN - minute, BEGIN + minute, True, True),
        (BEGIN, BEGIN + minute, True, True),
        (BEGIN, end - minute, True, False),
        (BEGIN, end, True, True),
        (BEGIN, None, False, False),
    ]
    assert outcome("acceptance", 30, "insert into marts.fct_recommendations values (1, %s, %s, %s, %s)", rows) == (1, 2)


@pytest.mark.parametrize(
    ("next_status", "ended_on", "expected"),
    [
        ("active", "2026-11-10", (1, 1)),
        ("active", "2026-12-09", (1, 1)),
        ("cancelled", "2026-11-20", (0, 1)),
        ("active", "2026-11-09", (0, 0)),
        ("active", "2026-12-10", (0, 0)),
    ],
)
def test_trials_count_on_the_date_on_which_they_end(outcome, next_status, ended_on, expected):
    rows = [
        ("trial", "2026-11-01Z", "2026-11-01", str(date.fromisoformat(ended_on) - timedelta(days=1))),
        (next_status, f"{ended_on}Z", ended_on, "9999-12-31"),
    ]
    statement = "insert into marts.subscriptions_history values (1, %s, %s, %s, %s)"
    assert outcome("trial_conversion", 30, statement, rows) == expected


@pytest.mark.parametrize(("days", "expected"), [(52, (70.5, 1)), (83, (90.5, 2)), (51, (0, 0))])
def test_revenue_is_that_of_whole_months(outcome, days, expected):
    rows = [
        ("EUR", "2026-11-01", "9.00"),
        ("EUR", "2026-12-01", "49.00"),
        ("EUR", "2026-12-01", "21.50"),
        ("USD", "2026-12-01", "7.00"),
        ("EUR", "2027-01-01", "20.00"),
        ("EUR", "2027-02-01", "20.00"),
    ]
    assert (
        outcome("monthly_revenue", days, "insert into marts.fct_rated_lines values (1, %s, %s, %s)", rows) == expected
    )


def test_a_recommendation_is_tested_on_its_plans(marts):
    plans = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
    marts.execute("insert into raw.company_ids (company_key) values ('acme')")
    for key in ("per_minute", "hybrid"):
        marts.execute(
            "insert into raw.plans (plan_key, version, terms, currency, valid_from, received_at, load_id)"
            " values (%s, 1, %s, 'EUR', '2020-01-01', now(), 1)",
            [key, Jsonb(plans[key].terms())],
        )
    with pytest.raises(NoExperiment, match="acme has no recommendation"):
        design_of_recommendation(marts, "acme", {})
    marts.execute(
        "insert into ml.pricing_recommendations (company_id, recommendation_key, recommendation_type, action,"
        " current_plan_id, recommended_plan_id, alternatives, reasoning, confidence_score, projected_savings,"
        " projected_revenue_impact, currency, as_of, known_at, input_series, generated_at, expires_at)"
        " select company_id, 'day-14:acme', 'initial', 'switch', a.plan_id, b.plan_id, '[]', '{}', 0.9, 1, 1, 'EUR',"
        " '2026-11-01', now(), '{}', now(), now() from raw.company_ids, raw.plans as a, raw.plans as b"
        " where a.plan_key = 'per_minute' and b.plan_key = 'hybrid'"
    )
    design = design_of_recommendation(marts, "acme", DECLARED)
    assert (design.variant_a["plan_key"], design.variant_b["plan_key"]) == ("per_minute", "hybrid")
    assert (design.recommendation_key, design.plan_keys) == ("day-14:acme", ("per_minute",))
    with pytest.raises(ValidationError):
        design_of_recommendation(marts, "acme", {**DECLARED, "looks": 0})
