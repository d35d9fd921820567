"""What the backtests on the command line share: the table of usage, progress, and figures as tables and as JSON."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

console = Console()
problems = Console(stderr=True)
TEXTS = ("account", "meter", "date", "current_plan")


def read_usage(file: Path) -> "pd.DataFrame":
    """The table as it is written, without judging it."""
    import pandas as pd

    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    return pd.read_csv(file, dtype=dict.fromkeys(TEXTS, str))


def refuse(file: Path, error: ValueError) -> NoReturn:
    """Say in a sentence what is wrong with a file, and exit with 1."""
    problems.print(f"{file.name}: {error}", soft_wrap=True, highlight=False, markup=False)
    raise typer.Exit(1) from error


def progress_bar() -> Progress:
    """On stderr, and gone when it is over."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=problems, transient=True)


def label(cutoff: date) -> str:
    """A cut-off by the last day that is known."""
    return (cutoff - timedelta(days=1)).isoformat()


def plain_rows(rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Rows as JSON knows them: cut-offs by their label, null for what is not known."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def figures_table(title: str, figures: "pd.DataFrame", caption: str | None = None) -> Table:
    """Its index, by the index's name, and its columns; numbers with three decimals, nothing for what is not known."""
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    table.add_column(str(figures.index.name), no_wrap=True)
    for name in figures.columns:
        table.add_column(str(name), justify="right")
    for row in figures.itertuples():
        table.add_row(str(row[0]), *(_cell(value) for value in row[1:]))
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return label(value)
    return None if value != value else value


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value != value else f"{value:.3f}"
