"""The commands `usage-pricing archive`, `restore` and `erase`: how long raw events stay, and whom they name."""

import os
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from integrations.events.archive import Archived
    from integrations.events.erasure import Erasure

console = Console()


def archive(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
) -> None:
    """Move the raw events of old months into the archive now, as a schedule does every day.

    Example: usage-pricing archive --dry-run
    """
    from integrations.events.retention import retention_days
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment
    from orchestration.retention import archive_due, dates_due, open_archive

    warehouse, days = Warehouse(environment.prepare()), retention_days(os.environ)
    with warehouse.connect() as connection:
        now = clock.now(connection)
        due = dates_due(connection, now, days)
    if not due:
        _say(f"Nothing is due. A month goes {days} days after its end, once it is built.")
    elif dry_run:
        for month, count in sorted(Counter(f"{day:%Y-%m}" for day in due).items()):
            _say(f"{month}: {count} dates would go into the archive.")
        _say("Nothing was archived.")
    else:
        files = open_archive()
        with console.status(f"Archiving {due[0]} ...") as status:
            done: list[Archived] = []

            def tell(found: "Archived") -> None:
                done.append(found)
                status.update(f"Archiving ... {len(done)} of {len(due)} dates, {found.usage_date} is done")

            archive_due(warehouse, files, now, days, tell)
        rows = sum(found.rows for found in done)
        _say(f"{len(done)} dates with {rows:,} events are in the archive at {files.url}.")


def restore(
    first: Annotated[str, typer.Argument(help="The first usage date, as 2026-07-05.")],
    last: Annotated[str, typer.Argument(help="The last usage date, included.")],
) -> None:
    """Bring archived events back into the database, in whole months, since marts are rebuilt by months.

    They stay for at least seven days.

    Example: usage-pricing restore 2026-07-05 2026-07-20
    """
    from integrations.postgres.usage_partitions import archived_months, month_of
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment
    from orchestration.retention import open_archive

    start, end = _date(first, "FIRST"), _date(last, "LAST")
    if end < start:
        raise typer.BadParameter(f"{last} lies before {first}", param_hint="LAST")
    with Warehouse(environment.prepare()).connect() as connection:
        months = sorted(month for month in archived_months(connection) if month_of(start) <= month <= end)
        if not months:
            _say(f"No month between {start} and {end} lies in the archive.")
            return
        files = open_archive()
        for month in months:
            with console.status(f"Bringing back {month:%Y-%m} ..."):
                restored = files.restore(connection, [month], clock.now(connection))
            rows = sum(found.rows for found in restored)
            _say(f"All of {month:%Y-%m} is back: {len(restored)} dates with {rows:,} events, for at least seven days.")


def erase(
    company: Annotated[str, typer.Option(help="The company's key.")],
    customer: Annotated[str, typer.Option(help="The customer, as the events name it.")],
    reference: Annotated[str | None, typer.Option(help="Of the request, for the audit; no name.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a pseudonym in the place of a customer's name, in the database and in the archive, for ever.

    Example: usage-pricing erase --company acme --customer c-7 --reference TICKET-12
    """
    from integrations.events.erasure import erase_customer
    from integrations.postgres.locks import WRITER_LOCK, exclusive
    from integrations.postgres.warehouse import Warehouse
    from orchestration import clock, environment
    from orchestration.retention import open_archive

    if not yes:
        typer.confirm(f"Erase the customer {customer} of {company} for ever? It can't be undone", abort=True)
    warehouse, files = Warehouse(environment.prepare()), open_archive()
    with (
        console.status("Erasing, once no build is under way ..."),
        exclusive(warehouse.url, WRITER_LOCK),
        warehouse.connect() as connection,
    ):
        erased = erase_customer(connection, files, company, customer, clock.now(connection), reference)
    _report(erased)


def _report(erased: "Erasure") -> None:
    if not any(erased.counts.values()):
        _say("Neither the database nor the archive names this customer; nothing was changed.")
        return
    table = Table(title=f"{erased.pseudonym} stands for the customer now", show_header=False, title_justify="left")
    for name, count in erased.counts.items():
        table.add_row(name, f"{count:,} rows changed")
    console.print(table)
    for name in erased.files:
        _say(f"The landed file {name} still names the customer; its owner has to delete it.")
    _say("Backups, and files whose events were archived or refused, may name the customer, too.")


def _date(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no date; write it like 2026-07-05", param_hint=name) from error


def _say(sentence: str) -> None:
    console.print(sentence, soft_wrap=True, highlight=False, markup=False)
