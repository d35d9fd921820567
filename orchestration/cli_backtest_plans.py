"""The command `usage-pricing backtest plans`: what following its advice would have cost on somebody's own history."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli_backtest_parts import console, progress_bar, read_usage, refuse
from orchestration.cli_catalogue import catalogue_plans
from orchestration.plan_figures import as_json_values, as_tables, compared

if TYPE_CHECKING:
    from ml.evaluation.plan_scale import Scale


def plans(
    usage: Annotated[
        Path,
        typer.Option(
            help="A CSV (also .gz) or Parquet table with account, date, meter, quantity, perhaps current_plan.",
            exists=True,
            dir_okay=False,
        ),
    ],
    catalogue: Annotated[
        Path | None, typer.Option(help="A catalogue; without one, the shipped one.", exists=True, dir_okay=False)
    ] = None,
    history: Annotated[
        list[int] | None, typer.Option(min=7, help="Days of history shown; several may be given.")
    ] = None,
    horizon: Annotated[int, typer.Option(min=28, max=31, help="Days ahead, which are priced as one month.")] = 30,
    cutoffs: Annotated[
        int | None,
        typer.Option(min=1, help="At how many ends of months, the last ones that fit; without it, at all of them."),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            help="800: multiply usage so that the median account's history comes to 800 in 30 days, in the table's unit"
            " of the meter that most plans charge. x2.5: multiply it by 2.5."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what following the advice would have cost, next to staying and simple rules. Nothing is stored.

    At each cut-off an account shows only its last days of history; everything is learned from what was over by then.
    Regret is the cost above that of the plan that was best in hindsight. Without a column current_plan, an account
    holds the plan that was cheapest in the 30 days before its history.

    Example: usage-pricing backtest plans --usage usage.csv.gz --catalogue plans.yaml --history 28 --scale 800
    """
    from ml.evaluation.plan_report import PlanOptions, report_plans

    lengths, price_list = tuple(history or [28]), catalogue_plans(catalogue)
    options = PlanOptions(lengths, horizon, cutoffs, _scale(scale))
    with progress_bar() as progress:
        task = progress.add_task("Choosing plans", total=None)
        try:
            report = report_plans(
                read_usage(usage), price_list, options, lambda steps: progress.update(task, advance=1, total=steps)
            )
        except ValueError as error:
            refuse(usage, error)
    if as_json:
        typer.echo(json.dumps(as_json_values(report, horizon), indent=2))
        return
    console.print(compared(report), soft_wrap=True, highlight=False, markup=False)
    for table in as_tables(report):
        console.print(table)


def _scale(text: str | None) -> "Scale":
    from ml.evaluation.plan_scale import AS_IT_IS, Scale

    try:
        return AS_IT_IS if text is None else Scale.of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--scale") from error
