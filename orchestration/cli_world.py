"""The command `usage-pricing world`: a simulated world as files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

console = Console()


def world(
    folder: Annotated[Path, typer.Argument(help="Where to write; its subfolder `arrivals` must not exist yet.")],
    events: Annotated[int, typer.Option(help="About how many events.")] = 100_000,
    companies: Annotated[int, typer.Option(help="How many companies.")] = 48,
    days: Annotated[int, typer.Option(help="How many days.")] = 45,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 7,
) -> None:
    """Write a realistic, dirty world of usage as files.

    Example: usage-pricing world /tmp/world --events 50000
    """
    from ml.rating.catalogue import default_catalogue
    from ml.synthetic import write_world

    with console.status("Simulating ..."):
        written = write_world(
            folder, companies=companies, days=days, events=events, seed=seed, catalogue=default_catalogue()
        )
    console.print(f"{written.events_read:,} lines in {folder / 'arrivals'}", soft_wrap=True)
    console.print(f"What is true of them: {folder / 'truth.json'}", soft_wrap=True)
