"""The command `usage-pricing replace`: a company's whole time frame from a file, after a look at what that changes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from orchestration.corrections import Effect

console = Console()
problems = Console(stderr=True)


def replace(
    file: Annotated[Path, typer.Argument(help="All events of the frame.", exists=True, dir_okay=False)],
    company: Annotated[str, typer.Option(help="The company's key.")],
    begin: Annotated[str, typer.Option("--from", help="2026-10-01 (local midnight), or a time with its offset.")],
    end: Annotated[str, typer.Option("--to", help="Not included.")],
    mapping: Annotated[
        Path | None, typer.Option(help="A source mapping (YAML) for a foreign table.", exists=True, dir_okay=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without a question.")] = False,
) -> None:
    """Let a file take the place of all events that a company has in a time frame, in one transaction.

    It first shows the days, units, amounts and recommendations that would change, and asks.

    Example: usage-pricing replace october.ndjson --company acme --from 2026-10-01 --to 2026-11-01
    """
    from integrations.events.directory_rows import read_directory
    from integrations.events.frames import Frame, FrameRefused, replace_frame
    from integrations.events.mapping import load_mapping
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment
    from orchestration.corrections import effect_of, instant

    url = environment.prepare()
    source_mapping = load_mapping(mapping) if mapping else None
    with Warehouse(url).connect() as connection:
        now = clock.now(connection)
        known = read_directory(connection).company(company, now)
        if known is None:
            raise typer.BadParameter(f"no company is called {company}", param_hint="--company")
        try:
            frame = Frame(company, instant(begin, known.zone), instant(end, known.zone))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        try:
            with console.status("Looking what it would change ..."):
                effect = effect_of(url, frame, file, now, source_mapping)
            if not effect.load.is_new:
                console.print("This file stands for this frame already; nothing to change.")
                return
            _show(effect)
            if not yes:
                typer.confirm(f"Replace all events of {frame}?", abort=True)
            report = replace_frame(connection, frame, file, clock.now(connection), source_mapping)
        except FrameRefused as error:
            problems.print(str(error), soft_wrap=True, highlight=False, markup=False)
            raise typer.Exit(1) from error
    console.print(f"Load {report.load_id}: {report.message}. The marts follow with the next run.", soft_wrap=True)


def _show(effect: "Effect") -> None:
    table = Table("usage date", "what", "before", "after", title="What would change")
    for day, before, after in effect.events:
        table.add_row(str(day), "events", f"{before:,}", f"{after:,}")
    for day, meter, before, after in effect.units:
        table.add_row(str(day), meter, f"{before:,.0f}", f"{after:,.0f}")
    console.print(table)
    for period, currency, difference in effect.amounts:
        console.print(f"Usage period {period:%Y-%m}: {difference:+,.2f} {currency}", highlight=False)
    for key, before, after in effect.advice:
        console.print(f"Recommendation {key} would be: {after} (now: {before})", soft_wrap=True, highlight=False)
    if not (effect.amounts or effect.advice):
        console.print("No amount and no recommendation would change.")
