"""The commands `usage-pricing backtest ...`: how good the methods are on somebody's own history, without a database."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from orchestration.cli_backtest_parts import (
    console,
    figures_table,
    label,
    plain_rows,
    problems,
    progress_bar,
    read_usage,
    refuse,
)
from orchestration.cli_backtest_plans import plans

if TYPE_CHECKING:
    import pandas as pd

SUBJECT = "Judge forecasts and the choice of plans on usage that they did not know."
backtest_app = typer.Typer(no_args_is_help=True, help=SUBJECT)
backtest_app.command("plans")(plans)
FIGURES = {"wape": "WAPE", "mase": "MASE", "pinball_loss": "pinball", "coverage_80": "in 80 %"}


@backtest_app.command("forecast")
def forecast(
    usage: Annotated[
        Path,
        typer.Option(
            help="A CSV (also .gz) or Parquet table with account, date, meter, quantity.", exists=True, dir_okay=False
        ),
    ],
    history: Annotated[
        list[int] | None, typer.Option(min=7, help="Days of history shown; several may be given.")
    ] = None,
    horizon: Annotated[int, typer.Option(min=1, max=62, help="Days ahead.")] = 30,
    cutoffs: Annotated[int, typer.Option(min=1, help="At how many ends of months, the last ones that fit.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare the forecasts with simple rules on a long table of daily usage. Nothing is stored.

    At each cut-off an account shows only its last days of history; models learn from what all accounts did before.

    Example: usage-pricing backtest forecast --usage usage.csv.gz --history 28 --history 90 --horizon 30
    """
    from ml.evaluation.backtest import backtest, check_usage, choose_cutoffs, why_none

    try:
        table = check_usage(read_usage(usage))
        lengths = sorted(set(history or [28]))
        chosen = choose_cutoffs(table, lengths[-1], horizon, cutoffs)
    except ValueError as error:
        refuse(usage, error)
    with progress_bar() as progress:
        task = progress.add_task("Forecasting", total=table["meter"].nunique() * len(chosen) * len(lengths))
        sums = backtest(table, lengths, horizon, chosen, lambda: progress.advance(task))
    reason = why_none(table, lengths) if sums.empty else None
    if as_json:
        typer.echo(json.dumps(_as_json(sums, lengths, horizon, chosen) | {"reason": reason}, indent=2))
    elif reason:
        problems.print(reason, soft_wrap=True, highlight=False)
    else:
        for shown in _tables(sums, chosen):
            console.print(shown)


def _as_json(sums: "pd.DataFrame", lengths: Sequence[int], horizon: int, cutoffs: Sequence[date]) -> dict[str, Any]:
    from ml.evaluation.backtest import KEYS, accuracy

    views = {"accuracy": KEYS, "by_cutoff": (*KEYS, "cutoff"), "by_segment": (*KEYS, "segment")}
    rows = {name: plain_rows(accuracy(sums, by).to_dict("records")) for name, by in views.items()}
    names = [label(cutoff) for cutoff in cutoffs]
    return {"history_days": list(lengths), "horizon_days": horizon, "cutoffs": names, **rows}


def _tables(sums: "pd.DataFrame", cutoffs: Sequence[date]) -> list[Table]:
    """Per meter and length of history the figures of every model, and its WAPE at every cut-off."""
    from ml.evaluation.backtest import KEYS, accuracy

    whole, single = accuracy(sums), accuracy(sums, (*KEYS, "cutoff"))
    tables = []
    for (meter, days), rows in whole.groupby(["meter", "history_days"], sort=False):
        own = single[(single["meter"] == meter) & (single["history_days"] == days)]
        by_cutoff = own.pivot(index="model", columns="cutoff", values="wape").reindex(columns=list(cutoffs))
        count = int(rows["count_series"].max())
        figures = rows.set_index("model")[list(FIGURES)].rename(columns=FIGURES)
        tables.append(figures_table(f"{meter}: {count} accounts by {days} days of history", figures))
        labelled = by_cutoff.reindex(figures.index).rename(columns=label)
        tables.append(figures_table("WAPE of the days after", labelled))
    return tables
