"""The command group `usage-pricing loads`: what waits for a person, and what the person decides."""

from typing import Annotated

import typer
from rich.console import Console

loads_app = typer.Typer(no_args_is_help=True, help="Look at loads; release or discard one that waits.")
console = Console()


@loads_app.command(name="list")
def list_loads(
    everything: Annotated[bool, typer.Option("--all", help="Also those that nobody has to look at.")] = False,
) -> None:
    """List the loads that wait for a person, or all of them."""
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment

    where = "" if everything else "where status in ('held', 'failed')"
    found = Warehouse(environment.prepare()).read(f"select * from raw.loads {where} order by load_id")
    if found.empty:
        console.print("No load waits." if not everything else "Nothing was loaded yet.")
    for load in found.itertuples(index=False):
        console.print(
            f"load {load.load_id}: {load.file_name} ({load.feed}) is {load.status};"
            f" read {load.count_read:,}, rejected {load.count_rejected:,}",
            soft_wrap=True,
        )
        if load.message:
            console.print(f"    {load.message}", soft_wrap=True, highlight=False)


@loads_app.command()
def release(load_id: int) -> None:
    """Publish a load that waits, after all."""
    from integrations.events.holding import release_load
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment

    with Warehouse(environment.prepare()).connect() as connection:
        report = release_load(connection, load_id)
    console.print(f"Load {load_id} is published: {report.inserted:,} events inserted, {report.duplicate:,} duplicate.")


@loads_app.command()
def discard(load_id: int) -> None:
    """Refuse a load that waits for good; its events stay in quarantine."""
    from integrations.events.holding import discard_load
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment

    with Warehouse(environment.prepare()).connect() as connection:
        report = discard_load(connection, load_id)
    console.print(f"Load {load_id} is discarded; {report.rejected:,} lines are in quarantine.")
