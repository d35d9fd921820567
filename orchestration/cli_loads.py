"""The command group `usage-pricing loads`: what waits for a person, and what the person decides."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from psycopg import Connection

loads_app = typer.Typer(no_args_is_help=True, help="Look at loads; release or discard one that waits; replay lines.")
console = Console()
problems = Console(stderr=True)
History = Annotated[bool, typer.Option("--history", help="Bring archived months back for events that belong to them.")]


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
        if isinstance(load.message, str):
            console.print(f"    {load.message}", soft_wrap=True, highlight=False)


REFUSALS = """
    select reason, field, count(*), (array_agg(line order by line))[1], (array_agg(message order by line))[1]
    from raw.rejected_events where load_id = %s and replayed_by is null group by reason, field order by count(*) desc
"""


def refusals(connection: "Connection", load_id: int) -> Iterator[str]:
    """A line for each reason for which lines of a load are refused, the most frequent first."""
    for reason, field, count, line, message in connection.execute(REFUSALS, [load_id]):
        where = f" in {field}" if field else ""
        yield f"Rejected as {reason}{where}: {count:,}; first in line {line:,}: {message}"


@loads_app.command()
def show(load_id: Annotated[int, typer.Argument(help="As `loads list --all` numbers it.")]) -> None:
    """Say why lines of a load are refused.

    Example: usage-pricing loads show 12
    """
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment

    with Warehouse(environment.prepare()).connect() as connection:
        lines = list(refusals(connection, load_id))
    for line in lines or [f"No line of load {load_id} is refused."]:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


@loads_app.command()
def release(load_id: int, history: History = False) -> None:
    """Publish a load that waits, after all.

    Example: usage-pricing loads release 12
    """
    from integrations.events.holding import release_load
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment
    from orchestration.retention import open_archive, restoring

    with console.status(f"Publishing load {load_id} ..."), Warehouse(environment.prepare()).connect() as connection:
        restore = restoring(open_archive(), clock.now(connection)) if history else None
        report = release_load(connection, load_id, restore)
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


@loads_app.command()
def replay(
    load_id: Annotated[int | None, typer.Argument(help="One load; all that have such lines unless given.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="The source mapping that the load needs now.", exists=True, dir_okay=False)
    ] = None,
    history: History = False,
) -> None:
    """Judge refused lines again after the cause was mended: a company was added, a mapping corrected.

    Rows of foreign tables are read by the mapping that lies beside the file in the landing zone, if it lies there
    still, else by the one of the load.

    Example: usage-pricing loads replay 12 --mapping bank.yaml
    """
    from integrations.events.landing_zones import landing_zone
    from integrations.events.mapping import load_mapping
    from integrations.events.replay import replayable_loads
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment, paths
    from orchestration.replays import ReplayFailed, landed_mappings, replay_loads
    from orchestration.retention import open_archive, restoring

    if mapping and load_id is None:
        raise typer.BadParameter("a mapping belongs to one load; name it", param_hint="--mapping")
    given = load_mapping(mapping) if mapping else None
    url = environment.prepare()
    mapping_of = (lambda name: given) if given else landed_mappings(landing_zone(paths.landing()))
    with console.status("Replaying ...") as status, Warehouse(url).connect() as connection:
        restore = restoring(open_archive(), clock.now(connection)) if history else None
        loads = [load_id] if load_id is not None else replayable_loads(connection, with_late=history)
        done = 0

        def tell(sentence: str) -> None:
            nonlocal done
            done += 1
            status.update(f"Replaying ... {done} of {len(loads)} loads")
            console.print(sentence, soft_wrap=True, highlight=False, markup=False)

        if not loads:
            console.print("No load has refused lines that could be judged otherwise.")
        try:
            replay_loads(connection, loads, mapping_of, restore, tell)
        except ReplayFailed as error:
            problems.print(str(error), soft_wrap=True, highlight=False, markup=False)
            raise typer.Exit(1) from error
