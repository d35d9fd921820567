"""Between experiments and their tables: create, start, look, stop."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from integrations.postgres.warehouse import append_rows
from ml.experiments.assignment import assign
from ml.experiments.design import Design, from_recommendation
from ml.experiments.looks import Look, due_step, take_look
from ml.experiments.states import Status, require_transition
from ml.rating.plan import Plan
from orchestration.experiment_looks import look_row, looks_before
from orchestration.experiment_outcomes import read_newcomers, read_outcomes

__all__ = ["Experiment", "NoExperiment", "Progress", "create", "design_of_recommendation", "look", "start", "stop"]


class NoExperiment(ValueError):
    """There is no such experiment, or it can't do what is asked; the message says why."""


@dataclass(frozen=True)
class Experiment:
    """A row of `ml.pricing_experiments`."""

    experiment_id: int
    design: Design
    status: Status
    started_at: datetime | None


@dataclass(frozen=True)
class Progress:
    """What a look came to: who joined, how many are counted by arm, and the look, if one was due."""

    joined: int
    counts: tuple[int, int]
    look: Look | None


RECOMMENDATION = """
    select recommendation_key, current_plans.terms as current_terms, recommended_plans.terms as recommended_terms
    from ml.pricing_recommendations as recommendations
    inner join raw.company_ids as companies on recommendations.company_id = companies.company_id
    inner join raw.plans as current_plans on recommendations.current_plan_id = current_plans.plan_id
    inner join raw.plans as recommended_plans on recommendations.recommended_plan_id = recommended_plans.plan_id
    where companies.company_key = %s
    order by generated_at desc, recommendation_id desc limit 1
"""


def design_of_recommendation(connection: Connection, company_key: str, declared: dict[str, Any]) -> Design:
    """A test of the company's last recommendation against its current plan; see `from_recommendation`."""
    found = connection.cursor(row_factory=dict_row).execute(RECOMMENDATION, [company_key]).fetchone()
    if found is None:
        raise NoExperiment(f"{company_key} has no recommendation; one is made on day 14 after its activation")
    current, recommended = (Plan.model_validate(found[name]) for name in ("current_terms", "recommended_terms"))
    return from_recommendation(current, recommended, found["recommendation_key"], declared)


def create(connection: Connection, design: Design, start_date: date, now: datetime) -> bool:
    """Store a planned experiment; returns whether it is new. The same design again changes nothing.

    Raises:
        NoExperiment: when another design has this key.
    """
    declared = design.model_dump(mode="json")
    row = {
        "experiment_key": design.key,
        "experiment_name": design.name,
        "variant_a": declared["variant_a"],
        "variant_b": declared["variant_b"],
        "metrics_tracked": declared["metrics"],
        "design": declared,
        "start_date": start_date,
        "created_at": now,
    }
    if append_rows(connection, "ml.pricing_experiments", [row]):
        return True
    if _experiment(connection, design.key).design != design:
        raise NoExperiment(f"there is another experiment {design.key}; give this one a key of its own")
    return False


def start(connection: Connection, key: str, now: datetime) -> int:
    """Make a planned experiment active and assign the companies that are there; returns how many."""
    with connection.transaction():
        experiment = _experiment(connection, key)
        _move(experiment, "active")
        connection.execute(
            "update ml.pricing_experiments set status = 'active', started_at = %s, start_date = %s"
            " where experiment_id = %s",
            [now, now.date(), experiment.experiment_id],
        )
        return _assign_newcomers(connection, experiment, now)


def stop(connection: Connection, key: str, now: datetime) -> None:
    """Cancel an experiment; it has no winner then."""
    with connection.transaction():
        experiment = _experiment(connection, key)
        _move(experiment, "cancelled")
        _end(connection, experiment, now, "cancelled")


def look(connection: Connection, key: str, now: datetime) -> Progress:
    """Assign who has come since, and take the look that is due, if one is; a second call takes no second look."""
    with connection.transaction():
        experiment = _experiment(connection, key)
        if experiment.status != "active" or experiment.started_at is None:
            raise NoExperiment(f"{key} is {experiment.status}; only an active experiment is looked at")
        joined = _assign_newcomers(connection, experiment, now)
        design, before = experiment.design, looks_before(connection, experiment.experiment_id)
        outcomes = {
            metric: read_outcomes(connection, experiment.experiment_id, design, metric, now)
            for metric in design.metrics
        }
        primary = outcomes[design.metrics[0]]
        counts = primary.counted().counts
        is_over = now >= experiment.started_at + timedelta(days=design.last_day)
        step = due_step(design, counts, is_over, before)
        if step is None:
            return Progress(joined, counts, None)
        taken = take_look(design, primary, step, before)
        key_of_look = {"experiment_id": experiment.experiment_id, "number": len(before) + 1, "taken_at": now}
        append_rows(connection, "ml.experiment_looks", [{**key_of_look, **look_row(taken, outcomes)}])
        if taken.ends_the_test:
            _end(connection, experiment, now, "completed", taken)
        return Progress(joined, counts, taken)


def _experiment(connection: Connection, key: str) -> Experiment:
    """The experiment, locked until the transaction ends: two at once would assign the same places."""
    row = connection.execute(
        "select experiment_id, design, status, started_at from ml.pricing_experiments where experiment_key = %s"
        " for update",
        [key],
    ).fetchone()
    if row is None:
        raise NoExperiment(f"there is no experiment {key}; `usage-pricing experiments list` shows them")
    return Experiment(row[0], Design.model_validate(row[1]), row[2], row[3])


def _move(experiment: Experiment, status: Status) -> None:
    try:
        require_transition(experiment.status, status)
    except ValueError as error:
        raise NoExperiment(f"{experiment.design.key}: {error}") from error


def _end(
    connection: Connection, experiment: Experiment, now: datetime, status: Status, last: Look | None = None
) -> None:
    significance = None if last is None or last.p_value is None else round(last.p_value, 6)
    connection.execute(
        "update ml.pricing_experiments set status = %s, end_date = %s, ended_at = %s, winner = %s,"
        " statistical_significance = %s where experiment_id = %s",
        [status, now.date(), now, last.winner if last else None, significance, experiment.experiment_id],
    )


def _assign_newcomers(connection: Connection, experiment: Experiment, now: datetime) -> int:
    newcomers = read_newcomers(connection, experiment.experiment_id, experiment.design, now)
    taken = connection.execute(
        "select stratum, count(*) from ml.experiment_assignments where experiment_id = %s group by stratum",
        [experiment.experiment_id],
    ).fetchall()
    ids = dict(zip(newcomers["company_key"], newcomers["company_id"], strict=True))
    strata = dict(zip(newcomers["company_key"], newcomers["stratum"], strict=True))
    rows = [
        {
            "company_id": ids[one.company_key],
            "experiment_id": experiment.experiment_id,
            "arm": one.arm,
            "stratum": one.stratum,
            "position": one.position,
            "assigned_at": now,
        }
        for one in assign(experiment.design.key, strata, dict(taken))
    ]
    return append_rows(connection, "ml.experiment_assignments", rows)
