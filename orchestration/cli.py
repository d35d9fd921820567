"""The console script `usage-pricing`."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from orchestration import cli_ingest
from orchestration.cli_alerts import alerts
from orchestration.cli_backtest import backtest_app
from orchestration.cli_billing import billing_app
from orchestration.cli_catalogue import catalogue_app
from orchestration.cli_docs import docs
from orchestration.cli_experiments import experiments_app
from orchestration.cli_loads import loads_app
from orchestration.cli_prices import simulate
from orchestration.cli_recommendations import recommendations_app
from orchestration.cli_replace import replace
from orchestration.cli_retention import archive, erase, restore
from orchestration.cli_world import world

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
app.add_typer(loads_app, name="loads")
app.add_typer(billing_app, name="billing")
app.add_typer(recommendations_app, name="recommendations")
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(backtest_app, name="backtest")
app.add_typer(experiments_app, name="experiments")
for command in (simulate, world, replace, alerts, docs, archive, restore, erase):
    app.command()(command)
console = Console()
problems = Console(stderr=True)


def main() -> None:
    """Run the command line; what went wrong is said in one sentence, without a traceback."""
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        problems.print("Stopped. Nothing was left half done.")
        sys.exit(130)
    except Exception as error:  # the last resort of a program that people use
        if os.environ.get("USAGE_PRICING_DEBUG"):
            raise
        problems.print(f"[red]{type(error).__name__}[/red]: {error}", highlight=False, soft_wrap=True)
        problems.print("(USAGE_PRICING_DEBUG=1 shows where.)")
        sys.exit(1)


@app.command()
def up() -> None:
    """Start the embedded PostgreSQL (unless DATABASE_URL names another) and bring its schema up to date."""
    from sqlalchemy import make_url

    from orchestration import environment

    url = environment.prepare()
    console.print(f"The warehouse answers at {make_url(url).render_as_string(hide_password=True)}", soft_wrap=True)


@app.command()
def down() -> None:
    """Stop the embedded PostgreSQL; its data stays."""
    from orchestration import environment

    stopped = environment.embedded_server().stop()
    console.print("Stopped." if stopped else "It was not running.")


@app.command()
def status() -> None:
    """Say what runs, and what the warehouse holds."""
    from sqlalchemy import make_url

    from integrations.postgres.usage_dates import dirty_dates
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment

    if not os.environ.get("DATABASE_URL") and not environment.embedded_server().is_alive():
        console.print("The embedded PostgreSQL is not running. Start it with `usage-pricing up`.")
        raise typer.Exit(1)
    url = environment.database_url()
    table = Table(show_header=False, box=None)
    table.add_row("warehouse", make_url(url).render_as_string(hide_password=True))
    with Warehouse(url).connect() as connection:
        simulated = clock.simulated_now(connection)
        table.add_row("clock", f"simulated, {simulated:%Y-%m-%d %H:%M} UTC" if simulated else "real time")
        for name, query in STATUS.items():
            row = connection.execute(query.encode()).fetchone()
            table.add_row(name, f"{row[0]:,}" if row else "0")
        table.add_row("usage dates to rebuild", f"{len(dirty_dates(connection)):,}")
    console.print(table)


STATUS = {
    "companies": "select count(*) from raw.company_ids",
    "events": "select coalesce(sum(count_inserted), 0) from raw.loads where feed = 'events' and status = 'published'",
    "rejected lines": "select count(*) from raw.rejected_events where replayed_by is null",
    "loads that wait": "select count(*) from raw.loads where status = 'held'",
    "files not readable": "select count(*) from raw.loads where status = 'failed'",
    "recommendations": "select count(*) from ml.pricing_recommendations",
    "archived dates": "select count(*) from raw.archived_dates where restored_at is null",
}


@app.command()
def demo(
    events: Annotated[int, typer.Option(help="About how many events to simulate.")] = 1_000_000,
    companies: Annotated[int, typer.Option(help="How many companies.")] = 48,
    days: Annotated[int, typer.Option(help="How many days of usage.")] = 45,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 7,
) -> None:
    """Simulate a world of usage and run the whole pipeline on it.

    Example: usage-pricing demo --events 50000 --companies 24
    """
    from orchestration import environment, paths
    from orchestration.demo import STEPS, run_demo

    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Starting the database ...", total=STEPS)
        url = environment.prepare()
        report = run_demo(
            url, events, companies, days, seed, lambda sentence: progress.update(task, advance=1, description=sentence)
        )
    table = Table(title="What came out", show_header=False)
    for name, figure in report.figures.items():
        table.add_row(name, figure)
    table.add_section()
    for stage, seconds in report.seconds.items():
        table.add_row(stage, f"{seconds:.1f} s")
    table.add_row("together", f"{sum(report.seconds.values()):.1f} s")
    console.print(table)
    console.print(f"Read the mails:          {paths.outbox() / 'mail/index.html'}", soft_wrap=True)
    console.print(f"See the metered usage:   {paths.outbox() / 'stripe/meter_events.jsonl'}", soft_wrap=True)
    console.print("Walk through the graph:  make dev", soft_wrap=True)


@app.command()
def dev(port: Annotated[int, typer.Option(help="Where the UI listens, on loopback.")] = 3000) -> None:
    """Open the Dagster UI on this database."""
    from orchestration import dbt, environment, paths

    environment.prepare()
    dbt.manifest()
    dagster = Path(sys.executable).parent / "dagster"
    arguments = ["dev", "-w", str(paths.ROOT / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    os.chdir(paths.ROOT)
    os.execv(dagster, [str(dagster), *arguments])


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(help="The file to load.", exists=True, dir_okay=False)],
    feed: Annotated[str, typer.Option(help="events, companies, branches, subscriptions, plans or kpis.")] = "events",
    mapping: Annotated[
        Path | None, typer.Option(help="A source mapping (YAML) for a CSV or TSV.", exists=True, dir_okay=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would become of its events.")] = False,
    first: Annotated[int, typer.Option(help="How many events a dry run shows.", min=0)] = 5,
    history: Annotated[
        bool, typer.Option("--history", help="Bring archived months back for events that belong to them.")
    ] = False,
) -> None:
    """Load one file now, instead of leaving it in the landing folder.

    Example: usage-pricing ingest calls.tsv.gz --mapping bank.yaml --dry-run
    """
    from integrations.events.landing import FEED_ORDER
    from orchestration.replays import outcome

    if feed not in FEED_ORDER:
        raise typer.BadParameter(f"no feed is called {feed}; use one of {', '.join(FEED_ORDER)}", param_hint="--feed")
    if history and (dry_run or feed != "events"):
        raise typer.BadParameter("it is for loading events, and not for a dry run", param_hint="--history")
    if dry_run:
        if feed != "events":
            raise typer.BadParameter(f"only events can be tried, not {feed}", param_hint="--dry-run")
        cli_ingest.dry_run(file, mapping, first)
        return
    report, late = cli_ingest.load(file, feed, mapping, history)
    changed = "its late events are taken now" if late else "nothing changed"
    known = "" if report.is_new else f" (it was loaded before; {changed})"
    console.print(
        f"{report.file_name}: {report.status}{known}. Read {report.read:,} = inserted {report.inserted:,}"
        f" + duplicate {report.duplicate:,} + rejected {report.rejected:,} + filtered {report.filtered:,}.",
        soft_wrap=True,
    )
    if late:
        console.print(outcome(report.load_id, late), soft_wrap=True, highlight=False)
    if report.message:
        problems.print(report.message, soft_wrap=True, highlight=False)
    for line in cli_ingest.refusals_of(report):
        problems.print(line, soft_wrap=True, highlight=False, markup=False)
    if not report.is_new and not (report.inserted or report.duplicate or late):
        problems.print("A file is known by its name and content. To have it read again, give it another name.")
    if report.status == "failed" or (report.read and report.rejected == report.read and not late):
        raise typer.Exit(1)


@app.command(name="go-live")
def go_live(
    day: Annotated[str, typer.Argument(help="Companies activated on this day or later are mailed, as 2026-11-01.")],
) -> None:
    """Say from which activation date on companies are analysed at days 7 and 14, and mailed.

    It starts as the day of installation, so that a first deployment mails nobody about the past.
    """
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment
    from orchestration.resources import set_go_live_date

    try:
        since = date.fromisoformat(day)
    except ValueError as error:
        raise typer.BadParameter(f"{day} is no date; write it like 2026-11-01") from error
    with Warehouse(environment.prepare()).connect() as connection:
        set_go_live_date(connection, since)
    console.print(f"Companies activated on {since} or later are mailed.")


@app.command()
def reset(
    everything: Annotated[bool, typer.Option(help="Delete data that is not simulated, too.")] = False,
) -> None:
    """Delete the simulated world, so that the database is empty and its clock is real again."""
    from integrations.postgres.schema import migrate
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment, worlds

    url = environment.prepare()
    if everything:
        typer.confirm("Delete everything that this database holds?", abort=True)
    with Warehouse(url).connect() as connection:
        worlds.wipe(connection, everything)
    migrate(url)
    console.print("The database is empty.")
