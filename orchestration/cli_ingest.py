"""What `usage-pricing ingest` does: load a file, or see what it would come to without a trace in the warehouse."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from psycopg import Connection

    from integrations.events.ledger import LoadReport
    from integrations.events.preview import Preview

console = Console()
problems = Console(stderr=True)
PROGRESS_LINES = 10_000
NOTE = "Nothing was stored. Which of the accepted are duplicates, only loading can tell, since it looks their keys up."
TIMES = {"time (UTC)", "local day"}
NUMBERS = {"quantity", "seconds", "revenue"}


def load(file: Path, feed: str, mapping: Path | None, history: bool) -> "tuple[LoadReport, LoadReport | None]":
    """Load a file; with `history` bring archived months back for the events that belong to them.

    Returns:
        The report, and that of a replay: a file that was loaded before changes nothing by itself, so what came too
        late in it is taken from the quarantine.
    """
    from integrations.events.holding import HoldRule
    from integrations.events.landing import LandingFile, load_file
    from integrations.events.mapping import load_mapping
    from integrations.events.replay import has_late_lines, replay_load
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment
    from orchestration.catalogue import PRICES
    from orchestration.retention import open_archive, restoring

    hold = HoldRule.from_settings(os.environ)
    with console.status(f"Loading {escape(file.name)} ..."), Warehouse(environment.prepare()).connect() as connection:
        now = clock.now(connection)
        restore = restoring(open_archive(), now) if history else None
        report = load_file(connection, LandingFile(feed, file, mapping), now, PRICES, hold, restore)
        if report.is_new or not restore or not has_late_lines(connection, report.load_id):
            return report, None
        given = load_mapping(mapping) if mapping else None
        return report, replay_load(connection, report.load_id, now, lambda name: given, restore)


def dry_run(file: Path, mapping: Path | None, first: int) -> None:
    """Print what loading a file of events would come to.

    Raises:
        typer.Exit: with 1 when nothing could be accepted, or the file or its mapping can't be used.
    """
    from psycopg import errors

    from integrations.events.mapping import MappingError
    from integrations.events.readers import UnreadableFile

    try:
        found, names = _preview(file, mapping, first)
    except (MappingError, UnreadableFile) as error:
        problems.print(str(error), soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(1) from error
    except (errors.OperationalError, errors.UndefinedTable) as error:
        sentence = f"The warehouse can't be read; `usage-pricing up` starts it and creates its tables. ({error})"
        problems.print(sentence, soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(1) from error
    if found.first:
        console.print(_events(found, names))
    for line in _report(found, file.name):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    if not found.accepted:
        problems.print("Nothing could be accepted.")
        raise typer.Exit(1)


def refusals_of(report: "LoadReport") -> list[str]:
    """Why lines of a load are refused, a line for each reason."""
    from integrations.postgres.warehouse import Warehouse
    from orchestration import environment
    from orchestration.cli_loads import refusals

    if not report.rejected:
        return []
    with Warehouse(environment.database_url()).connect() as connection:
        return list(refusals(connection, report.load_id))


def _report(found: "Preview", name: str) -> Iterator[str]:
    yield (
        f"{name}: read {found.read:,} = would be accepted {found.accepted:,} + rejected {found.rejected:,}"
        f" + filtered {found.filtered.total():,}."
    )
    yield NOTE
    for rule, count in found.filtered.most_common():
        yield f"Filtered by the rule {rule!r}: {count:,}"
    for refusal in found.refusals:
        where = f" in {refusal.field}" if refusal.field else ""
        yield f"Rejected as {refusal.reason}{where}: {refusal.count:,} ({refusal.count / found.read:.1%})"
        yield f"    first in line {refusal.line:,}: {refusal.message}"
        yield f"    {refusal.payload}"


def _preview(file: Path, mapping: Path | None, first: int) -> "tuple[Preview, dict[str, dict[int, str]]]":
    from integrations.events.directory_rows import read_directory
    from integrations.events.mapping import load_mapping
    from integrations.events.normalise import Normaliser
    from integrations.events.parsing import event_fates
    from integrations.events.preview import preview
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment

    source = load_mapping(mapping) if mapping else None
    with Warehouse(environment.database_url()).connect() as connection:
        connection.read_only = True
        with connection.transaction():
            normaliser = Normaliser.at(read_directory(connection), clock.now(connection))
        found = preview(_watched(event_fates(file, source, file.name, normaliser), file.name), first)
        with connection.transaction():
            return found, _names(connection, found.first)


def _watched(fates: Iterable[Any], name: str) -> Iterator[Any]:
    """The same fates, while a line on the screen tells how far the file is read."""
    with console.status(f"Reading {escape(name)} ...") as status:
        for count, fate in enumerate(fates, 1):
            if count % PROGRESS_LINES == 0:
                status.update(f"Reading {escape(name)} ... {count:,} lines")
            yield fate


def _names(connection: "Connection", events: list[dict[str, Any]]) -> dict[str, dict[int, str]]:
    """By which keys the feeds know the companies and branches of these events."""
    return {
        kind: dict(
            connection.execute(
                f"select {kind}_id, {kind}_key from raw.{kind}_ids where {kind}_id = any(%s)".encode(),
                [[event[f"{kind}_id"] for event in events]],
            ).fetchall()
        )
        for kind in ("company", "branch")
    }


def _events(found: "Preview", names: dict[str, dict[int, str]]) -> Table:
    from integrations.events.preview import printable

    table = Table(title="The first events", box=None, padding=(0, 1, 0, 0), title_justify="left")
    for heading in ("time (UTC)", "local day", "company", "type", "id", "quantity", "seconds", "branch", "revenue"):
        justify: Any = "right" if heading in NUMBERS else "left"
        table.add_column(heading, overflow="fold", justify=justify, no_wrap=heading in TIMES)
    for event in found.first:
        revenue = None if event["revenue"] is None else f"{event['revenue']} {event['currency']}"
        cells = (
            f"{event['occurred_at']:%Y-%m-%d %H:%M:%S}",
            event["usage_date"],
            names["company"].get(event["company_id"]),
            *(event[name] for name in ("event_type", "event_id", "quantity", "duration_seconds")),
            names["branch"].get(event["branch_id"]),
            revenue,
        )
        table.add_row(*("" if cell is None else escape(printable(str(cell))) for cell in cells))
    return table
