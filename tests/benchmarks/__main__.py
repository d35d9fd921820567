"""Measure the speed of this checkout, as ratios against a floor that is measured in the same run."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from orchestration import paths
from tests.benchmarks import (  # noqa: F401 (importing them registers their benchmarks)
    analysis,
    definitions,
    forecasts,
    ingest,
    ingest_growth,
    marts,
    rating,
    reads,
    recommendation,
    recommendation_speed,
    tracker,
)
from tests.benchmarks.registry import Benchmark, Measurement, chosen, store
from tests.benchmarks.workbench import open_workbench

console = Console()


def main(
    only: Annotated[str, typer.Argument(metavar="[ONLY]", help="A benchmark's name, or how names begin.")] = "",
) -> None:
    """Measure speed, print a table, and write it to .local/bench.json.

    A goal that is missed shows in the table; it is no error.

    Example: python -m tests.benchmarks ingest
    """
    result_file = paths.local() / "bench.json"
    try:
        benchmarks = chosen(only)
    except LookupError as error:
        Console(stderr=True).print(str(error), highlight=False, soft_wrap=True)
        raise typer.Exit(2) from error
    measurements = _run(benchmarks)
    store(measurements, result_file)
    console.print(_table(measurements))
    console.print(f"Written to {result_file}", soft_wrap=True, highlight=False)


def _run(benchmarks: list[Benchmark]) -> list[Measurement]:
    columns = (SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Starting ...", total=len(benchmarks))
        measurements = []
        with open_workbench(lambda text: progress.update(task, description=text), progress.console.print) as bench:
            for benchmark in benchmarks:
                progress.update(task, description=f"{benchmark.name} ...")
                measurements.append(benchmark.run(bench))
                progress.advance(task)
    return measurements


def _table(measurements: list[Measurement]) -> Table:
    table = Table(title="How fast", caption="x: times as long as the floor, measured in the same run")
    for heading in ("benchmark", "value", "goal", "holds"):
        table.add_column(heading, justify="left" if heading == "benchmark" else "right")
    says = {True: "[green]yes[/green]", False: "[red]missed[/red]", None: ""}
    for found in measurements:
        goal = found.benchmark.goal
        table.add_row(
            found.benchmark.name, f"{found.value:.2f} {found.benchmark.unit}", str(goal or ""), says[found.holds]
        )
    return table


if __name__ == "__main__":
    try:
        typer.run(main)
    except KeyboardInterrupt:
        sys.exit(130)
