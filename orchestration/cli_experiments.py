"""The command group `usage-pricing experiments`: plan a test, create, start, look at and stop it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from psycopg import Connection

    from ml.experiments.looks import Look

experiments_app = typer.Typer(no_args_is_help=True, help="Test two variants of a price on companies, by chance.")
console = Console()
problems = Console(stderr=True)

DesignFile = Annotated[Path, typer.Argument(help="A design as YAML.", exists=True, dir_okay=False)]
Key = Annotated[str, typer.Argument(help="The experiment's key.")]


@experiments_app.command()
def plan(file: DesignFile) -> None:
    """Say how many companies and days a test needs, and when it may stop. Nothing is stored.

    Example: usage-pricing experiments plan ml/experiments/examples/price_points.yaml
    """
    from ml.experiments.design import Design
    from ml.experiments.spending import boundaries

    with _in_sentences():
        design = Design.model_validate(_declared(file))
    shares = tuple((look + 1) / design.looks for look in range(design.looks))
    table = Table(title=design.name, show_header=False, box=None, title_justify="left")
    table.add_row("companies", f"{design.companies:,}, half of them with each variant")
    table.add_row("days", f"{design.days} or more; the last look is taken on day {design.last_day} at the latest")
    table.add_row("decides", f"{design.metrics[0]}: {design.primary.numerator} per {design.primary.denominator}")
    table.add_row("power", f"{design.power:.0%} for a change of {design.minimum_effect:g}; errs in {design.alpha:.1%}")
    for number, (share, critical) in enumerate(zip(shares, boundaries(shares, design.alpha), strict=True), 1):
        table.add_row(
            f"look {number}", f"at {ceil(share * design.companies):,} companies, stops at |z| >= {critical:.2f}"
        )
    console.print(table)


@experiments_app.command()
def create(
    file: DesignFile,
    recommendation: Annotated[
        str | None, typer.Option(metavar="COMPANY", help="Test its last recommendation against its current plan.")
    ] = None,
    start_on: Annotated[
        str | None, typer.Option(help="When it is to start, as 2026-11-01; today, unless given.")
    ] = None,
) -> None:
    """Declare an experiment; what is declared can't be changed once it has started.

    With --recommendation the variants are the two plans, and companies on the current one take part.

    Example: usage-pricing experiments create hybrid.yaml --recommendation acme
    """
    from ml.experiments.design import Design
    from orchestration import clock, experiments

    declared, starts = _declared(file), _date(start_on)
    with _connected() as connection:
        now = clock.now(connection)
        if recommendation is None:
            design = Design.model_validate(declared)
        else:
            design = experiments.design_of_recommendation(connection, recommendation, declared)
        is_new = experiments.create(connection, design, starts or now.date(), now)
    _say(f"{design.key} is planned." if is_new else f"{design.key} was planned before; nothing changed.")


@experiments_app.command()
def start(key: Key) -> None:
    """Begin a planned experiment: assign a variant to each company that takes part."""
    from orchestration import clock, experiments

    with _connected() as connection:
        count = experiments.start(connection, key, clock.now(connection))
    _say(f"{key} is active, with {count:,} companies; ml.experiment_assignments has the variant of each.")


@experiments_app.command()
def look(key: Key) -> None:
    """Assign the companies that have come since, and take the look that is due, if one is."""
    from orchestration import clock, experiments

    with _connected() as connection:
        found = experiments.look(connection, key, clock.now(connection))
    count_a, count_b = found.counts
    _say(f"{found.joined:,} companies joined; {count_a:,} with a and {count_b:,} with b are counted.")
    _say(_verdict(found.look) if found.look else "No look is due, so nothing was read.")


@experiments_app.command()
def stop(key: Key) -> None:
    """Cancel an experiment, without a winner."""
    from orchestration import clock, experiments

    with _connected() as connection:
        experiments.stop(connection, key, clock.now(connection))
    _say(f"{key} is cancelled.")


LIST = """
    select experiments.experiment_key, status, start_date, end_date, winner, statistical_significance,
        (select count(*) from ml.experiment_assignments as assigned
            where assigned.experiment_id = experiments.experiment_id),
        (select count(*) from ml.experiment_looks as looks where looks.experiment_id = experiments.experiment_id)
    from ml.pricing_experiments as experiments order by experiment_id
"""


@experiments_app.command(name="list")
def list_experiments() -> None:
    """List all experiments with their states."""
    table = Table("experiment", "status", "from", "to", "companies", "looks", "winner", "p")
    with _connected() as connection:
        rows = connection.execute(LIST).fetchall()
    for key, status, start_date, end_date, winner, p_value, companies, looks in rows:
        ended = "" if end_date is None else str(end_date)
        won = winner or ("none shown" if status == "completed" else "")
        p_text = "" if p_value is None else f"{p_value:f}"
        table.add_row(key, status, str(start_date), ended, f"{companies:,}", str(looks), won, p_text)
    console.print(table if rows else "There is no experiment.")


def _verdict(look: "Look") -> str:
    if look.outcome == "sample_ratio_mismatch":
        return (
            f"Counts like these are no chance (p = {look.sample_ratio_p_value:.6f}), so nothing was read. Find out why"
            " companies of one variant are missing, or stop the experiment."
        )
    if look.effect is None or look.interval is None or look.stop_at is None:
        return "Too few companies were counted to tell; the experiment has ended without a winner."
    low, high = look.interval
    shown = f"b - a = {look.effect.value:.4f} ({low:.4f} to {high:.4f}), p = {look.effect.p_value:.6f}"
    if look.outcome == "continue":
        return f"{shown}; it would stop at p <= {look.stop_at:.6f}. It goes on."
    if look.outcome == "winner":
        return f"{shown}. It has ended: {look.winner} wins, with p = {look.p_value:.6f} for the whole test."
    return f"{shown}. It has ended: no difference shown, with p = {look.p_value:.6f} for the whole test."


def _declared(file: Path) -> dict[str, Any]:
    import yaml

    try:
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise typer.BadParameter(f"{file.name} is not valid YAML: {error}", param_hint="FILE") from error
    if not isinstance(declared, dict):
        raise typer.BadParameter(f"{file.name} is no design; it is a list of fields like `key: ...`", param_hint="FILE")
    return declared


def _date(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no date; write it like 2026-11-01", param_hint="--start-on") from error


@contextmanager
def _connected() -> "Iterator[Connection]":
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment

    with _in_sentences(), Warehouse(environment.prepare()).connect() as connection:
        yield connection


@contextmanager
def _in_sentences() -> Iterator[None]:
    """What is wrong with a design or a request ends the command with sentences."""
    from pydantic import ValidationError

    from ml.rating.sentences import sentences_of
    from orchestration.experiments import NoExperiment

    try:
        yield
    except ValidationError as error:
        for sentence in sentences_of(error, "experiment"):
            problems.print(sentence, soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(1) from error
    except NoExperiment as error:
        problems.print(str(error), soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(1) from error


def _say(sentence: str) -> None:
    console.print(sentence, soft_wrap=True, highlight=False, markup=False)
